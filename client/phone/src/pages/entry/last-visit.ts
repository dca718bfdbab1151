/** What the same enterprise answered last time (上次): read once and kept, so that it is there without a network too. */
import { type Form, type FormBody, type KeptEnterprise, type LastVisit, Problem, Unreachable, type Workplace } from '@gongpin/core'

export interface Last {
  /** YYYY-MM-DD */
  date: string
  recordId: string
  /** Undefined where the record was never read and there is no network now. */
  body: FormBody | undefined
  /** What the register on the phone knows of it, also where the record was never read. */
  facts: FormBody
  /** What was found, in sentences. */
  findings: readonly string[]
}

/** An answer of a submitted record changes by a correction only: one that is kept is good for a week. */
const WEEK = 7 * 86_400_000

/** The last visit of the form's kind and the product; null where the register knows none. */
export async function lastVisit(
  { kept }: Workplace, enterprise: KeptEnterprise | undefined, form: Form, productCode: string,
): Promise<Last | null> {
  const visit = enterprise?.visits.find((one) => one.kind === form.definition.kind && one.product_code === productCode)
  if (visit === undefined) return null
  const { checked_on: date, record_id: recordId, findings } = visit
  // A register that an earlier release kept has no facts yet.
  const facts: FormBody = visit.facts ?? {}
  return { date, recordId, findings, facts, body: await recordOf(kept, visit) }
}

async function recordOf(kept: Workplace['kept'], visit: LastVisit): Promise<FormBody | undefined> {
  const path = visit.kind === 'spot_check' ? '/api/v1/spot-checks/{record_id}' : '/api/v1/inspections/{record_id}'
  try {
    return (await kept.get(path, { record_id: visit.record_id }, WEEK)).body as unknown as FormBody
  } catch (error) {
    // Of another office, or never read: then nothing stands beside the questions.
    if (error instanceof Problem || error instanceof Unreachable) return undefined
    throw error
  }
}
