import { type Body, type Conflict, type Difference, same, without } from './draft'

/** What a record carries beside what was filled in; the server passes over it when it is sent back. */
const SET_BY_SERVER = new Set(
  (
    'id status version form_code campaign_id level office region username operator_name created_at updated_at ' +
    'submitted_at org_prefilled name_differs problems problems_found disposal_state conclusion warnings ' +
    'product_names retired_names created_by begun_by returned corrected voided'
  ).split(' '),
)
const NESTED = ['answers', 'disposals']
/** No answers of a person: both sides may say them in other words. */
const NO_FIELDS = ['/kind', '/form_version']

/** A record as the server answers it, as the body that would save it. */
export function bodyOf(record: Body): Body {
  const kept = Object.entries(record)
    .filter(([name, value]) => !SET_BY_SERVER.has(name) && value !== null)
    .map(([name, value]) => [name, withoutNames(value)] as const)
  // A record names its kind, which several forms may have.
  return { ...Object.fromEntries(kept), kind: record['form_code'] ?? record['kind'] ?? null }
}

/** The conflict between `mine` and a record as the server answers it; `base`: what both were when they were the same. */
export function conflictOf(mine: Body, record: Body, base: Body | null): Conflict {
  const theirs = bodyOf(record)
  return {
    version: Number(record['version']),
    savedAt: String(record['updated_at']),
    theirs,
    differences: differences(mine, theirs, base),
  }
}

/** Field by field; the fields of `answers` and `disposals` one by one. */
export function differences(mine: Body, theirs: Body, base: Body | null): Difference[] {
  const found: Difference[] = []
  for (const path of new Set([...paths(mine), ...paths(theirs)])) {
    const [one, other] = [at(mine, path), at(theirs, path)]
    if (NO_FIELDS.includes(path) || same(one, other)) continue
    const before = base === null ? undefined : at(base, path)
    const suggested = base === null ? null : same(one, before) ? 'theirs' : same(other, before) ? 'mine' : null
    found.push({ path, mine: one, theirs: other, suggested })
  }
  return found
}

/** `mine`, with the server's value wherever `choices` says so, or says nothing and the conflict suggests it. */
export function merged(mine: Body, conflict: Conflict, choices: { readonly [path: string]: 'mine' | 'theirs' }): Body {
  const versions = [mine, conflict.theirs].map((body) => Number(body['form_version'] ?? 0))
  const newest = versions.some((version) => version > 0) ? { form_version: Math.max(...versions) } : {}
  return conflict.differences.reduce(
    (body, { path, theirs, suggested }) =>
      (choices[path] ?? suggested) === 'theirs' ? withValue(body, path, theirs) : body,
    { ...mine, ...newest },
  )
}

/** Beside the id of a test item (检验项目) a record has its name, which is the dictionary's. */
function withoutNames(value: unknown): unknown {
  return Array.isArray(value) ? value.map((row) => (isObject(row) ? without(row, 'item_name') : row)) : value
}

function paths(body: Body): string[] {
  return Object.entries(body).flatMap(([name, value]) =>
    NESTED.includes(name) && isObject(value) ? Object.keys(value).map((no) => pointer(name, no)) : [pointer(name)],
  )
}

function at(body: Body, path: string): unknown {
  const [name, no] = parts(path)
  const value = body[name!]
  return no === undefined ? value : isObject(value) ? value[no] : undefined
}

function withValue(body: Body, path: string, value: unknown): Body {
  const [name, no] = parts(path)
  if (no === undefined) return withOne(body, name!, value)
  const nested = body[name!]
  return { ...body, [name!]: withOne(isObject(nested) ? nested : {}, no, value) }
}

function withOne(body: Body, name: string, value: unknown): Body {
  return value === undefined ? without(body, name) : { ...body, [name]: value }
}

function pointer(...names: string[]): string {
  return names.map((name) => `/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('')
}

function parts(path: string): string[] {
  return path
    .slice(1)
    .split('/')
    .map((name) => name.replace(/~1/g, '/').replace(/~0/g, '~'))
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
