/** What the screen of a form shows for a body: visible items, how far it is filled in, problems, what comes next. */
import type { FormBody } from './definition'
import type { Form, Item, Section } from './form'
import { problemText } from './items/options'
import { type Read, readBody, type Reading } from './reading'
import { isWorkedOut } from './relations'
import { isRequired } from './validate'
import { type Cells, type Decided, decide, hasProblem } from './visibility'

export interface PlanItem {
  readonly item: Item
  /** Where its answer stands in the body; also its key on the screen. */
  readonly pointer: string
  /** The answer as it was given, undefined without one. */
  readonly value: unknown
  /** Must be given by the person who fills in: required now, and not read-only. */
  readonly required: boolean
  readonly answered: boolean
  /** The answer counts as a problem (记为问题). */
  readonly problem: boolean
  /** Of a group: its rows. */
  readonly rows: readonly PlanRow[]
}

export interface PlanRow {
  readonly index: number
  readonly pointer: string
  readonly items: readonly PlanItem[]
  readonly progress: Progress
}

export interface PlanSection {
  readonly code: string
  readonly title: string
  readonly items: readonly PlanItem[]
  readonly progress: Progress
}

/** Counts of items; those of rows count as well. */
export interface Progress {
  readonly answered: number
  readonly total: number
  readonly requiredAnswered: number
  readonly required: number
  readonly problems: number
  /** `done`: nothing required is open; else `partial` when something is answered. */
  readonly state: 'empty' | 'partial' | 'done'
}

export interface PlanProblem {
  readonly pointer: string
  readonly item: Item
  /** What the problem is called, for those who did not ask the question. */
  readonly text: string
}

export interface Plan {
  /** Sections with at least one visible item. */
  readonly sections: readonly PlanSection[]
  readonly progress: Progress
  readonly problemsFound: boolean
  readonly problems: readonly PlanProblem[]
  /** Pointers of required items without an answer, in the order of the form. */
  readonly open: readonly string[]
  /** All visible items, also those of rows, in the order of the form. */
  readonly byPointer: ReadonlyMap<string, PlanItem>
}

export interface PlanOptions {
  /** The roles of the person; an item with `roles` is shown to those alone. Without it every item is shown. */
  readonly roles?: readonly string[]
  /** The plan before: what did not change is the same object again, so that a screen redraws only what did. */
  readonly previous?: Plan
}

/** Plans the screen for a body. Cheap enough to be called for every answer; a disposal joins with the first problem. */
export function planForm(form: Form, body: FormBody, options: PlanOptions = {}): Plan {
  const reading = readBody(form, body)
  const decided = decide(form, reading)
  const before = options.previous
  const sections = form.sections.flatMap((section) => {
    const items = section.items
      .filter((item) => isShown(item, decided, reading, options.roles))
      .map((item) => planItem(item, body, reading, decided, options))
    return items.length === 0 ? [] : [planSection(section, items, before)]
  })
  const byPointer = new Map<string, PlanItem>()
  for (const section of sections) for (const item of section.items) enter(item, byPointer)
  const all = [...byPointer.values()]
  return {
    sections: kept(before?.sections, sections),
    progress: kept(before?.progress, progressOf(all)),
    problemsFound: decided.problemsFound,
    problems: all.filter((one) => one.problem && one.rows.length === 0).map((one) => ({
      pointer: one.pointer, item: one.item, text: problemText(one.item.definition, one.value),
    })),
    open: all.filter((one) => one.required && !one.answered).map((one) => one.pointer),
    byPointer,
  }
}

/** The pointer of the next required item without an answer after a pointer, from the top again at the end; null: none. */
export function nextOpen(plan: Plan, after?: string): string | null {
  const order = [...plan.byPointer.keys()]
  const from = after === undefined ? 0 : order.indexOf(after) + 1
  const open = new Set(plan.open)
  return [...order.slice(from), ...order.slice(0, from)].find((pointer) => open.has(pointer)) ?? null
}

/** Pointers of the items that are visible now and were not before (新增 2 项). */
export function appeared(before: Plan, now: Plan): string[] {
  return [...now.byPointer.keys()].filter((pointer) => !before.byPointer.has(pointer))
}

function isShown(item: Item, decided: Decided, reading: Reading, roles: readonly string[] | undefined): boolean {
  const { roles: wanted, type } = item.definition
  if (decided.hidden.has(item.name)) return false
  if (roles !== undefined && wanted !== undefined && !wanted.some((role) => roles.includes(role))) return false
  if (type !== 'disposal' || decided.problemsFound) return true
  // Without a problem it says nothing, unless it was answered before the problem was taken back: that is refused.
  const read = reading.given.get(item.name)
  return read !== undefined && read.sound && read.value !== 'na'
}

function planItem(item: Item, body: FormBody, reading: Reading, decided: Decided, options: PlanOptions): PlanItem {
  const holder = item.place === '' ? body : (body[item.place] as Readonly<Record<string, unknown>> | undefined)
  const read = reading.given.get(item.name)
  const made = entry(item, item.pointer, read, holder, decided.values.get(item.name), decided, undefined)
  const rows = (read?.rows ?? []).map((_, index) => planRow(item, index, body, reading, decided, options))
  const isGroup = item.definition.type === 'group'
  const required = made.required || (isGroup && item.minItems > 0 && item.definition.readonly !== true)
  const answered = isGroup ? rows.length >= Math.max(1, item.minItems) : made.answered
  const before = options.previous?.byPointer.get(item.pointer)
  if (isWorkedOut(item.definition)) {
    const value = decided.values.get(item.name)
    return kept(before, { ...made, value, required: false, answered: value !== undefined && value !== '0' })
  }
  return kept(before, { ...made, required, answered, rows: kept(before?.rows, rows) })
}

function planRow(
  group: Item, index: number, body: FormBody, reading: Reading, decided: Decided, options: PlanOptions,
): PlanRow {
  const pointer = `${group.pointer}/${index}`
  const row = reading.given.get(group.name)?.rows?.[index]
  const raw = (body[group.name] as readonly unknown[])[index]
  const visible = (decided.values.get(group.name) as readonly Cells[] | undefined)?.[index]
  const hidden = decided.hiddenInside.get(group.name)?.[index]
  const items = [...group.inner.values()]
    .filter((item) => hidden?.has(item.name) !== true)
    .map((item) => {
      const at = pointer + item.pointer
      const holder = row?.isObject === true ? (raw as Readonly<Record<string, unknown>>) : undefined
      const made = entry(item, at, row?.cells.get(item.name), holder, visible?.get(item.name), decided, visible)
      return kept(options.previous?.byPointer.get(at), made)
    })
  const before = options.previous?.byPointer.get(group.pointer)?.rows[index]
  return kept(before, {
    index, pointer, items: kept(before?.items, items), progress: kept(before?.progress, progressOf(items)),
  })
}

const NO_ROWS: readonly PlanRow[] = []

function entry(
  item: Item, pointer: string, read: Read | undefined, holder: Readonly<Record<string, unknown>> | undefined,
  value: unknown, decided: Decided, row: Cells | undefined,
): PlanItem {
  return {
    item,
    pointer,
    value: read === undefined ? undefined : holder?.[item.name],
    required: item.definition.readonly !== true && isRequired(item, decided, row),
    answered: read !== undefined,
    problem: item.detects && hasProblem(item, value),
    rows: NO_ROWS,
  }
}

function planSection(section: Section, items: readonly PlanItem[], plan: Plan | undefined): PlanSection {
  const before = plan?.sections.find((one) => one.code === section.code)
  const all = items.flatMap((one) => [one, ...one.rows.flatMap((row) => row.items)])
  return kept(before, {
    code: section.code,
    title: section.title,
    items: kept(before?.items, items),
    progress: kept(before?.progress, progressOf(all)),
  })
}

function progressOf(items: readonly PlanItem[]): Progress {
  const answered = items.filter((one) => one.answered).length
  const required = items.filter((one) => one.required)
  const requiredAnswered = required.filter((one) => one.answered).length
  const begun = answered > 0 ? 'partial' : 'empty'
  return {
    answered,
    total: items.length,
    requiredAnswered,
    required: required.length,
    problems: items.filter((one) => one.problem && one.rows.length === 0).length,
    state: requiredAnswered === required.length ? 'done' : begun,
  }
}

function enter(item: PlanItem, into: Map<string, PlanItem>): void {
  into.set(item.pointer, item)
  for (const row of item.rows) for (const inner of row.items) into.set(inner.pointer, inner)
}

/** The object of before where nothing in it changed. */
function kept<Part extends object>(before: Part | undefined, now: Part): Part {
  if (before === undefined) return now
  const keys = Object.keys(now) as (keyof Part)[]
  const same = keys.length === Object.keys(before).length && keys.every((key) => before[key] === now[key])
  return same ? before : now
}
