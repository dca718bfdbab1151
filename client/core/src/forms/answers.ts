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
 * stands there. The first row of a group makes its list.
 */
export function setAnswer(body: FormBody, path: string, value: unknown): FormBody {
  const tokens = tokensOf(path)
  const [first = '', ...rest] = tokens
  const isGroup = rest.length > 0 && first !== 'answers' && first !== 'disposals'
  const holder = isGroup && (body[first] === null || body[first] === undefined) ? { ...body, [first]: [] } : body
  return changed(holder, tokens, value) as FormBody
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

function changed(holder: unknown, tokens: readonly string[], value: unknown): unknown {
  const [token, ...rest] = tokens
  if (token === undefined) return value
  if (Array.isArray(holder)) {
    const copy: unknown[] = [...holder]
    const entry = changed(copy[Number(token)], rest, value)
    if (entry === null || entry === undefined) copy.splice(Number(token), 1)
    else copy[Number(token)] = entry
    return copy
  }
  const copy: Record<string, unknown> = isObject(holder) ? { ...holder } : {}
  const next = changed(Object.prototype.hasOwnProperty.call(copy, token) ? copy[token] : undefined, rest, value)
  if (next === null || next === undefined) {
    delete copy[token]
    return copy
  }
  // Written as a computed key, because an item may be called `__proto__`.
  return { ...copy, [token]: next }
}
