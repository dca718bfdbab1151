import type { KeptProblem } from '../api/problem'
import type { FormBody } from '../forms'

/** Checks (检查) or spot checks (监督抽查), as their addresses are called. */
export type RecordType = 'inspections' | 'spot-checks'

/**
 * What is filled in, as the server takes it: `kind`, `product_code`, `form_version`, the form's fields, `answers`,
 * `disposals`, `photos`, `signatures`; without `version`.
 */
export type Body = FormBody

/** How much of the form is filled in (n/m); counted by the form engine. */
export interface Filled {
  answered: number
  total: number
}

/** One field that differs between this phone and the server. */
export interface Difference {
  /** JSON Pointer: `/org_name`, `/answers/1.1`. */
  path: string
  /** Undefined where that side has nothing. */
  mine: unknown
  theirs: unknown
  /** The side that alone has changed since both were the same; null where both have, or where that is not known. */
  suggested: 'mine' | 'theirs' | null
}

/** The draft was changed on another phone since this one saved it last. */
export interface Conflict {
  /** Of the server's side. */
  version: number
  /** RFC 3339: when the server's side was saved. */
  savedAt: string
  theirs: Body
  differences: Difference[]
}

/** A draft (暂存) on this phone. */
export interface Draft {
  /** Of the record, made by the phone that began it. */
  id: string
  recordType: RecordType
  body: Body
  filled: Filled | null
  /** Milliseconds since 1970, as the next. */
  createdAt: number
  changedAt: number
  /** What the server had when it last answered; null where it never did. */
  server: { version: number; body: Body; at: number } | null
  /** A save whose answer never came, `version` included: it is repeated in the same words before anything else. */
  unanswered: Body | null
  /** Why the server refused the submission from which the draft came back. */
  problem: KeptProblem | null
  /** Why the server refused the last save, and `changedAt` of what it refused: sent again only when it was changed. */
  refused: { problem: KeptProblem; changedAt: number } | null
  conflict: Conflict | null
  /** Deleted by the user, but the server does not know it yet. */
  removed: boolean
  /** The key of the waiting record from which it came back to be edited. */
  takenBackFrom: string | null
}

/** Whether the server has what this phone has (已备份, at `server.at`). */
export function isBackedUp({ server, unanswered, body }: Draft): boolean {
  return server !== null && unanswered === null && same(server.body, body)
}

export function draftKey(scope: string, id: string): string {
  return `${scope}draft/${id}`
}

/** The ids among `known` that stand anywhere in a body. */
export function filesIn(body: unknown, known: ReadonlySet<string>): string[] {
  const found: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string') {
      if (known.has(value) && !found.includes(value)) found.push(value)
    } else if (Array.isArray(value)) value.forEach(walk)
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk)
  }
  walk(body)
  return found
}

/** A body without some of its members. */
export function without(body: Body, ...names: string[]): Body {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}

/** Equal as JSON, whatever the order of keys; absent, null, empty text, list and object are the same nothing. */
export function same(one: unknown, other: unknown): boolean {
  if (isNothing(one) || isNothing(other)) return isNothing(one) && isNothing(other)
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, place) => same(value, other[place]))
    )
  }
  if (typeof one === 'object' && typeof other === 'object') {
    const [here, there] = [one as Body, other as Body]
    return [...new Set([...Object.keys(here), ...Object.keys(there)])].every((name) => same(here[name], there[name]))
  }
  return one === other
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (typeof value !== 'object') return false
  return (Array.isArray(value) ? value : Object.values(value)).every(isNothing)
}
