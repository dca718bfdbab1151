/** A body brought into the form that is kept, and held against the types of its items. */
import type { Fault, FormBody } from './definition'
import type { Form, Item } from './form'
import type { Entry } from './items/types'
import { answerFault, NOT_AN_OBJECT, UNKNOWN_ITEM } from './items/messages'
import { byCodePoints, pointer, showable, tokensOf } from './pointers'
import { isWorkedOut } from './relations'
import { clean } from './text'

/** What was given for an item. A value that is not sound has faults, and conditions see it as not given. */
export interface Read {
  /** Kept value: text, boolean, list of texts without blank entries, or the cells of rows. */
  readonly value: unknown
  readonly sound: boolean
  readonly faults: readonly Fault[]
  /** Of a group: each row as it was given. */
  readonly rows?: readonly ReadRow[]
}

export interface ReadRow {
  readonly isObject: boolean
  readonly faults: readonly Fault[]
  readonly cells: ReadonlyMap<string, Read>
}

export interface Reading {
  /** Unknown keys and containers of a wrong type. */
  readonly bodyFaults: readonly Fault[]
  /** What was given, by the item's name; an item that is not there is not given. */
  readonly given: ReadonlyMap<string, Read>
}

const MAX_UNKNOWN = 50
const PLACES = ['answers', 'disposals'] as const
const SOUND: readonly Fault[] = []
const UNREADABLE: Read = { value: undefined, sound: false, faults: SOUND }

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a body; any JSON value may stand anywhere in it. */
export function readBody(form: Form, body: FormBody): Reading {
  const bodyFaults: Fault[] = []
  const given = new Map<string, Read>()
  readPlace(form, '', body, given, bodyFaults)
  for (const place of PLACES) {
    const inner = body[place]
    if (isObject(inner)) {
      readPlace(form, place, inner, given, bodyFaults)
    } else if (inner !== null && inner !== undefined) {
      bodyFaults.push({ path: pointer(place), code: 'wrong_type', message: NOT_AN_OBJECT })
      for (const name of form.places.get(place)?.keys() ?? []) given.set(name, UNREADABLE)
    }
  }
  bodyFaults.sort((one, other) => byCodePoints(one.path, other.path))
  return { bodyFaults, given }
}

function readPlace(
  form: Form, place: '' | 'answers' | 'disposals', body: Readonly<Record<string, unknown>>,
  given: Map<string, Read>, bodyFaults: Fault[],
): void {
  const known = form.places.get(place)
  const unknown = new Set<string>()
  for (const key of Object.keys(body)) {
    const item = known?.get(key)
    if (item !== undefined && isWorkedOut(item.definition)) continue
    if (item !== undefined) {
      const read = readItem(item, body[key])
      if (read !== null) given.set(key, read)
    } else if (place !== '' || (key !== 'answers' && key !== 'disposals')) {
      if (unknown.size < MAX_UNKNOWN) unknown.add(showable(key))
    }
  }
  bodyFaults.push(...unknownFaults(unknown, place === '' ? [] : [place]))
}

function unknownFaults(names: ReadonlySet<string>, at: readonly (string | number)[]): Fault[] {
  return [...names]
    .sort(byCodePoints)
    .map((name) => ({ path: pointer(...at, name), code: 'unknown_item', message: UNKNOWN_ITEM }))
}

/** Reads the value of one item, which stands at the pointer `at`; null when it counts as not given. */
export function readItem(item: Item, raw: unknown, at: string = item.pointer): Read | null {
  if (raw === null || raw === undefined) return null
  if (item.rules.offered.has(raw)) return { value: raw, sound: true, faults: SOUND }
  return item.definition.type === 'group' ? readRows(item, raw, at) : readValue(item, raw, at)
}

function readValue(item: Item, raw: unknown, at: string): Read | null {
  if (raw === null || raw === undefined) return null
  if (!item.rules.listed) return ofEntry(item, item.rules.read(raw), at)
  if (isBlank(raw)) return null
  if (!Array.isArray(raw)) return faulty(item, 'wrong_type', at)
  if (raw.length > item.maxItems) return faulty(item, 'too_many', at)
  const faults: Fault[] = []
  const values: unknown[] = []
  raw.forEach((one: unknown, index) => {
    const entry = one === null || one === undefined ? null : item.rules.read(one)
    if (entry === null) return
    values.push(entry.value)
    if (entry.code !== undefined) faults.push(answerFault(item, entry.code, `${at}/${index}`))
  })
  return values.length === 0 ? null : { value: values, sound: faults.length === 0, faults }
}

function isBlank(raw: unknown): boolean {
  return typeof raw === 'string' && clean(raw) === ''
}

function ofEntry(item: Item, entry: Entry, at: string): Read | null {
  if (entry === null) return null
  return entry.code === undefined ? { value: entry.value, sound: true, faults: SOUND } : faulty(item, entry.code, at)
}

function faulty(item: Item, code: string, at: string): Read {
  return { value: undefined, sound: false, faults: [answerFault(item, code, at)] }
}

function readRows(group: Item, raw: unknown, at: string): Read | null {
  if (isBlank(raw) || (Array.isArray(raw) && raw.length === 0)) return null
  if (!Array.isArray(raw)) return faulty(group, 'wrong_type', at)
  if (raw.length > group.maxItems) return faulty(group, 'too_many', at)
  const rows = raw.map((row: unknown, index) => readRow(group, row, `${at}/${index}`))
  return { value: rows.map(soundCells), sound: true, faults: SOUND, rows }
}

function readRow(group: Item, row: unknown, at: string): ReadRow {
  const cells = new Map<string, Read>()
  if (!isObject(row)) {
    const fault = answerFault(group, 'wrong_type', at)
    return { isObject: false, faults: [fault], cells }
  }
  const unknown = new Set<string>()
  for (const key of Object.keys(row)) {
    const item = group.inner.get(key)
    if (item === undefined) {
      if (unknown.size < MAX_UNKNOWN) unknown.add(showable(key))
      continue
    }
    const read = readItem(item, row[key], at + item.pointer)
    if (read !== null) cells.set(key, read)
  }
  return { isObject: true, faults: unknownFaults(unknown, tokensOf(at)), cells }
}

function soundCells(row: ReadRow): ReadonlyMap<string, unknown> {
  const cells = new Map<string, unknown>()
  for (const [name, read] of row.cells) if (read.sound) cells.set(name, read.value)
  return cells
}
