/**
 * The validation of a body: the same rules in the same order, the same codes and sentences as the server's
 * (`core/forms/validation/check.py` describes the steps).
 */
import { holds } from './conditions'
import type { Condition, Fault, FormBody } from './definition'
import { type Form, type Item, namedBy, tabOf } from './form'
import { ALL_NOT_APPLICABLE, answerFault, NOT_AN_OBJECT } from './items/messages'
import { isWithin } from './pointers'
import { isObject, type Read, readBody, type Reading, type ReadRow } from './reading'
import { isWorkedOut, orderFaults } from './relations'
import { demandsOf, propose, type Proposed, type WordEntry, type Words } from './words'
import { type Cells, type Decided, decide } from './visibility'

/** A draft may be unfinished: only types are checked. A submission is checked wholly. */
export type Mode = 'draft' | 'submit'

export interface Checked {
  /** The values as they are kept, without faulty ones; of a submission also without hidden ones. What is sent. */
  readonly values: FormBody
  /** All faults: of the body, then item by item in the order of the form, then rules. */
  readonly faults: readonly Fault[]
  readonly problemsFound: boolean
  /** Pointer and printed text of what a submission leaves out because it is hidden. */
  readonly dropped: ReadonlyMap<string, string>
  /** Pointer and printed text of the required uploads that a submission owes (容缺). */
  readonly owed: ReadonlyMap<string, string>
  /** Doubts that do not refuse a submission. */
  readonly warnings: readonly Fault[]
}

/**
 * Validates a body. `today` is the local day in Asia/Shanghai, `2026-11-20`; `words` are the dictionaries that are known
 * here. Any JSON value may be a body; nothing is thrown for it.
 */
export function validate(form: Form, body: unknown, mode: Mode, today: string, words?: Words): Checked {
  if (!isObject(body)) {
    const fault = { path: '', code: 'wrong_type', message: NOT_AN_OBJECT }
    const values = { answers: {}, disposals: {} }
    return { values, faults: [fault], problemsFound: false, dropped: new Map(), owed: new Map(), warnings: [] }
  }
  const proposed = words === undefined ? undefined : propose(form, body, words)
  const reading = readBody(form, proposed?.body ?? body)
  const decided = decide(form, reading)
  const checked = mode === 'draft' ? asDraft(form, reading, decided) : asSubmission(form, reading, decided, today, proposed)
  return form.tabs.length === 0 ? checked : { ...checked, faults: checked.faults.map((fault) => onItsTab(form, fault)) }
}

function onItsTab(form: Form, fault: Fault): Fault {
  const tab = tabOf(form, fault.path)
  return tab === undefined ? fault : { ...fault, tab }
}

/** The faults at an item's pointer or inside its value, for the place where the item stands on the screen. */
export function faultsAt(faults: readonly Fault[], at: string): Fault[] {
  return faults.filter((fault) => isWithin(fault.path, at))
}

function asDraft(form: Form, reading: Reading, decided: Decided): Checked {
  const values = new Map<string, unknown>()
  for (const [name, read] of reading.given) if (read.sound) values.set(name, read.value)
  for (const item of form.items) {
    if (isWorkedOut(item.definition) && decided.values.has(item.name)) values.set(item.name, decided.values.get(item.name))
  }
  return {
    values: layout(form, values),
    faults: [...reading.bodyFaults, ...recorded(form, reading, decided)],
    problemsFound: decided.problemsFound,
    dropped: new Map(),
    owed: new Map(),
    warnings: [],
  }
}

/** The faults of values, in the order of the form. */
function recorded(form: Form, reading: Reading, decided: Decided): Fault[] {
  return form.items.flatMap((item) => {
    if (decided.tooLarge.has(item.name)) return [answerFault(item, 'out_of_range', item.pointer)]
    return faultsOf(item, reading.given.get(item.name))
  })
}

/** The faults of a value, and of the rows that it holds. */
function faultsOf(item: Item, read: Read | undefined): readonly Fault[] {
  if (read === undefined) return []
  const inRows = (read.rows ?? []).flatMap((row) => [
    ...row.faults, ...[...item.inner.values()].flatMap((inner) => faultsOf(inner, row.cells.get(inner.name))),
  ])
  return [...read.faults, ...inRows]
}

function asSubmission(form: Form, reading: Reading, decided: Decided, today: string, proposed?: Proposed): Checked {
  const { problemsFound, hidden } = decided
  const faults = [...reading.bodyFaults]
  const asked: Asked = { form, decided, today, proposed, owed: new Map() }
  for (const item of form.items) {
    if (hidden.has(item.name)) continue
    const read = reading.given.get(item.name)
    if (item.definition.type === 'disposal' && !problemsFound) {
      if (read?.sound === true && read.value !== 'na') {
        faults.push(answerFault(item, 'disposal_without_problem', item.pointer))
      }
      continue
    }
    if (decided.tooLarge.has(item.name)) {
      faults.push(answerFault(item, 'out_of_range', item.pointer))
      continue
    }
    faults.push(...itemFaults(asked, item, read, decided.values.get(item.name), item.pointer, undefined))
    if (read?.rows !== undefined) {
      const visible = decided.values.get(item.name) as readonly Cells[]
      faults.push(...rowFaults(asked, item, item.pointer, read.rows, visible, new Map()))
    }
  }
  faults.push(...ruleFaults(form, reading, decided))
  const values = new Map(decided.values)
  if (!problemsFound) form.places.get('disposals')?.forEach((_, name) => values.set(name, 'na'))
  return {
    values: layout(form, values),
    faults,
    problemsFound,
    dropped: droppedFrom(form, reading, decided),
    owed: asked.owed,
    warnings: warningsOf(form, values, problemsFound),
  }
}

/** What a submission is held against, and what it owes. */
interface Asked {
  readonly form: Form
  readonly decided: Decided
  readonly today: string
  readonly proposed: Proposed | undefined
  readonly owed: Map<string, string>
}

function itemFaults(
  { form, decided, today, proposed, owed }: Asked, item: Item, read: Read | undefined, value: unknown, at: string,
  row: Cells | undefined, entry?: WordEntry,
): readonly Fault[] {
  if (read !== undefined && !read.sound) return read.faults
  const unknown = proposed === undefined ? [] : notInDictionary(item, at, proposed)
  if (unknown.length > 0) return unknown
  const demands = demandsOf(item.definition, entry)
  if (value === undefined && demands.required) return [answerFault(item, 'required', at)]
  if (value !== undefined && demands.options?.includes(value as string) === false) {
    return [answerFault(item, 'unknown_option', at)]
  }
  if (value !== undefined) {
    const textOf = (name: string): string => namedBy(form, item, name)?.text ?? ''
    const found = [
      ...item.rules.submission(value, today), ...orderFaults(item.definition, value, decided.lookup(row), textOf),
    ]
    return found.map((fault) => answerFault(item, fault.code, at + (fault.within ?? ''), fault.sentence))
  }
  if (!isRequired(item, decided, row)) return []
  const until = owedUntil(item, decided, row)
  if (until === null) return [answerFault(item, 'required', at)]
  if (until !== undefined && today > until) return [answerFault(item, 'overdue', at)]
  owed.set(at, item.text)
  return []
}

/** The last day on which a required upload may be owed (容缺), undefined where none is known; null: it may not. */
export function owedUntil(item: Item, decided: Decided, row?: Cells): string | null | undefined {
  const { definition } = item
  if (!('owed_when' in definition) || definition.owed_when === undefined) return null
  const value = decided.lookup(row)
  if (!holds(definition.owed_when, value)) return null
  return definition.owed_until === undefined ? undefined : (value(definition.owed_until) as string | undefined)
}

/** That the dictionary of a searched choice does not have what was chosen, for a list each of those. */
function notInDictionary(item: Item, at: string, { unknown }: Proposed): Fault[] {
  if (unknown.size === 0) return []
  if (unknown.has(at)) return [answerFault(item, 'unknown_option', at)]
  if (item.definition.type !== 'multi') return []
  const places = [...unknown].filter((one) => one.slice(0, one.lastIndexOf('/')) === at)
  return places.map((place) => answerFault(item, 'unknown_option', place))
}

/** Whether a visible item must be given: `required`, or its `required_when` holds. */
export function isRequired(item: Item, decided: Decided, row?: Cells): boolean {
  const { required, required_when: when } = item.definition
  return required === true || (when !== undefined && holds(when as Condition, decided.lookup(row)))
}

/** The faults in the rows of a group; `visible` are their decided cells, `around` those of the row it stands in. */
function rowFaults(
  asked: Asked, group: Item, at: string, rows: readonly ReadRow[], visible: readonly Cells[] | undefined, around: Cells,
): Fault[] {
  return rows.flatMap((row, index) => {
    if (!row.isObject) return row.faults
    const cells: Cells = visible?.[index] ?? new Map<string, unknown>()
    const known = new Map([...around, ...cells])
    const inCells = [...group.inner.values()].flatMap((item) => {
      const pointer = `${at}/${index}${item.pointer}`
      if (asked.decided.hiddenInside.has(pointer)) return []
      const read = row.cells.get(item.name)
      const value = cells.get(item.name)
      const entry = asked.proposed?.entries.get(at)?.[index]
      const faults = itemFaults(asked, item, read, value, pointer, known, entry)
      if (read?.rows === undefined) return faults
      const inner = value as readonly Cells[] | undefined
      return [...faults, ...rowFaults(asked, item, pointer, read.rows, inner, known)]
    })
    return [...row.faults, ...inCells]
  })
}

function ruleFaults(form: Form, reading: Reading, decided: Decided): Fault[] {
  return form.rules.flatMap((rule) => {
    if (rule.visibleWhen !== undefined && !holds(rule.visibleWhen, decided.lookup())) return []
    const shown = rule.names.filter((name) => !decided.hidden.has(name))
    const first = form.byName.get(shown[0] ?? '')
    if (first === undefined || shown.some((name) => reading.given.has(name))) return []
    return [{ path: first.pointer, code: 'any_of', message: rule.message }]
  })
}

function droppedFrom(form: Form, reading: Reading, decided: Decided): Map<string, string> {
  const dropped = new Map<string, string>()
  for (const item of form.items) {
    const read = reading.given.get(item.name)
    if (read === undefined) continue
    if (decided.hidden.has(item.name)) {
      if (saysMore(read)) dropped.set(item.pointer, item.text)
      continue
    }
    droppedInside(item, item.pointer, read.rows ?? [], decided, dropped)
  }
  return dropped
}

/** Adds what was given and is hidden in the rows of a group. */
function droppedInside(
  group: Item, at: string, rows: readonly ReadRow[], decided: Decided, dropped: Map<string, string>,
): void {
  rows.forEach((row, index) => {
    for (const inner of group.inner.values()) {
      const pointer = `${at}/${index}${inner.pointer}`
      const cell = row.cells.get(inner.name)
      if (cell === undefined) continue
      if (!decided.hiddenInside.has(pointer)) droppedInside(inner, pointer, cell.rows ?? [], decided, dropped)
      else if (cell.sound && saysMore(cell)) dropped.set(pointer, inner.text)
    }
  })
}

/** Whether leaving a value out would lose something: false and `na` say no more than that nothing is there. */
function saysMore(read: Read): boolean {
  return !read.sound || (read.value !== false && read.value !== 'na')
}

function warningsOf(form: Form, values: ReadonlyMap<string, unknown>, problemsFound: boolean): Fault[] {
  const disposals = [...(form.places.get('disposals')?.keys() ?? [])].filter((name) => values.has(name))
  const idle = problemsFound && disposals.length > 0 && disposals.every((name) => values.get(name) === 'na')
  return idle ? [{ path: '/disposals', code: 'all_not_applicable', message: ALL_NOT_APPLICABLE }] : []
}

function layout(form: Form, values: ReadonlyMap<string, unknown>): FormBody {
  // Without a prototype, because an item may be called like a key that every object has.
  const laid = Object.create(null) as Record<string, unknown>
  const inside: Record<string, Record<string, unknown>> = {
    answers: Object.create(null) as Record<string, unknown>, disposals: Object.create(null) as Record<string, unknown>,
  }
  for (const item of form.items) {
    if (!values.has(item.name)) continue
    const value = values.get(item.name)
    const holder = item.place === '' ? laid : inside[item.place]
    if (holder !== undefined) {
      holder[item.name] = item.definition.type === 'group' ? (value as readonly Cells[]).map(laidOut) : value
    }
  }
  return Object.assign(laid, inside)
}

function laidOut(cells: Cells): Record<string, unknown> {
  const row = Object.create(null) as Record<string, unknown>
  for (const [name, value] of cells) row[name] = isRows(value) ? value.map(laidOut) : value
  return row
}

function isRows(value: unknown): value is readonly Cells[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof Map)
}
