/** Changing a body: each function answers a new body and leaves the old one as it is, so that parts can be compared. */
import type { FormBody } from './definition'
import { tokensOf } from './pointers'
import { isObject } from './reading'

/** The value at a pointer; undefined where there is none. */
export function answerAt(body: FormBody, path: string): unknown {
  return tokensOf(path).reduce<unknown>((holder, token) => {
    if (Array.isArray(holder)) return holder[Number(token)] as unknown
    return isObject(holder) && Object.prototype.hasOwnProperty.call(holder, token) ? holder[token] : undefined
  }, body)
}

/**
 * The body with a value at a pointer, such as `/answers/1.1` or `/items/0/verdict`; null and undefined take away what
 * stands there. The first row of a group makes its list, also of a group in a row: `/staff/0/jobs/0`.
 */
export function setAnswer(body: FormBody, path: string, value: unknown): FormBody {
  const tokens = tokensOf(path)
  const isGroup = tokens.length > 1 && tokens[0] !== 'answers' && tokens[0] !== 'disposals'
  return changed(body, tokens, value, isGroup) as FormBody
}

/** The body with one more row at the end of a group; `pointer` is the group's. */
export function addRow(body: FormBody, path: string, row: Readonly<Record<string, unknown>> = {}): FormBody {
  return setAnswer(body, path, [...rowsAt(body, path), row])
}

/** The body without a row of a group; the rows behind it move up. */
export function removeRow(body: FormBody, path: string, index: number): FormBody {
  const rows = rowsAt(body, path).filter((_, at) => at !== index)
  return setAnswer(body, path, rows.length === 0 ? undefined : rows)
}

function rowsAt(body: FormBody, path: string): readonly unknown[] {
  const rows = answerAt(body, path)
  return Array.isArray(rows) ? rows : []
}

/** `holdsRows`: the first token names a group, so that the one behind it is the number of a row. */
function changed(given: unknown, tokens: readonly string[], value: unknown, holdsRows: boolean, isRows = false): unknown {
  const [token, ...rest] = tokens
  if (token === undefined) return value
  const holder: unknown = isRows && (given === null || given === undefined) ? [] : given
  if (Array.isArray(holder)) {
    const copy: unknown[] = [...holder]
    const entry = changed(copy[Number(token)], rest, value, rest.length > 1)
    if (entry === null || entry === undefined) copy.splice(Number(token), 1)
    else copy[Number(token)] = entry
    return copy
  }
  const copy: Record<string, unknown> = isObject(holder) ? { ...holder } : {}
  const before = Object.prototype.hasOwnProperty.call(copy, token) ? copy[token] : undefined
  const next = changed(before, rest, value, false, holdsRows && rest.length > 0)
  if (next === null || next === undefined) {
    delete copy[token]
    return copy
  }
  // Written as a computed key, because an item may be called `__proto__`.
  return { ...copy, [token]: next }
}
