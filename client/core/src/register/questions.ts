import type { Body } from '../drafts/draft'
import { fold } from '../forms/text'
import type { Entry, SentEntry } from '../outbox/entry'
import { whatItIsAbout } from '../outbox/sender'
import type { KeptEnterprise, LastVisit } from './register'

/** The register has another name for the code (`name_differs`), or the name is a former one. */
export interface NameQuestion {
  registered: string
  /** A former name is accepted, and said. */
  isFormer: boolean
}

/** Asks on the spot what the server would ask of a code and name; null where there is nothing to ask. */
export function nameQuestion(enterprise: KeptEnterprise | undefined, name: string): NameQuestion | null {
  if (enterprise === undefined || name.trim() === '' || fold(name) === fold(enterprise.name)) return null
  return {
    registered: enterprise.name,
    isFormer: enterprise.former_names.some((former) => fold(former) === fold(name)),
  }
}

/** A check that a new one would repeat (`duplicate_check`). */
export interface Duplicate {
  /** Of the record. */
  id: string
  /** Whether it is still on this phone, or where it was found. */
  where: 'waiting' | 'sent' | 'register'
  /** Which office, for one of the register. */
  office: string | null
}

const SPOT_CHECK = 'spot_check'

/**
 * Asks on the spot for checks of the same enterprise, kind, product and day: on this phone, and as far as the register
 * knows. `kinds` says the kind of a form's code (`GET /forms`). Spot checks are never duplicates.
 */
export function duplicatesOf(
  id: string,
  body: Body,
  kinds: { readonly [form: string]: string },
  known: { enterprise: KeptEnterprise | undefined; waiting: readonly Entry[]; sent: readonly SentEntry[] },
): Duplicate[] {
  const kindOf = (about: Body): string => kinds[String(about['kind'])] ?? String(about['kind'])
  if (kindOf(body) === SPOT_CHECK) return []
  const repeats = (about: Body): boolean =>
    kindOf(about) === kindOf(body) &&
    about['product_code'] === body['product_code'] &&
    about['check_date'] === body['check_date'] &&
    organisation(about) === organisation(body)
  const waiting = known.waiting
    .filter((entry) => entry.type === 'submission' && entry.id !== id && repeats(whatItIsAbout(entry.call.body)))
    .map((entry): Duplicate => ({ id: entry.id, where: 'waiting', office: null }))
  const sent = known.sent
    .filter((entry) => entry.about !== null && entry.id !== id && repeats(entry.about))
    .map((entry): Duplicate => ({ id: entry.id, where: 'sent', office: null }))
  const here = new Set([...waiting, ...sent].map((one) => one.id))
  const isSame = (visit: LastVisit): boolean =>
    visit.kind === kindOf(body) &&
    visit.product_code === body['product_code'] &&
    visit.checked_on === body['check_date']
  // A name that differs from the register's belongs to no enterprise of it.
  const visits =
    nameQuestion(known.enterprise, String(body['org_name'] ?? ''))?.isFormer === false
      ? []
      : (known.enterprise?.visits ?? [])
  const registered = visits
    .filter((visit) => isSame(visit) && visit.record_id !== id && !here.has(visit.record_id))
    .map((visit): Duplicate => ({ id: visit.record_id, where: 'register', office: visit.office }))
  return [...waiting, ...sent, ...registered]
}

/** Which enterprise a record is about: its code, or name and address where it has none. */
function organisation(about: Body): string {
  const code = String(about['uscc'] ?? '')
    .trim()
    .toUpperCase()
  return code !== '' ? code : `${fold(String(about['org_name'] ?? ''))}\n${fold(String(about['org_address'] ?? ''))}`
}
