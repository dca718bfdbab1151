/** What the screen of a form shows for a body: visible items, how far it is filled in, problems, what comes next. */
import { holds } from './conditions'
import type { FormBody } from './definition'
import type { Form, Item, Section } from './form'
import { problemText } from './items/options'
import { type Read, readBody, type Reading, type ReadRow } from './reading'
import { isWorkedOut } from './relations'
import { isRequired, owedUntil } from './validate'
import { type Cells, type Decided, decide, hasProblem } from './visibility'
import { demandsOf, propose, type Proposed, type WordEntry, type Words } from './words'

export interface PlanItem {
  readonly item: Item
  /** Where its answer stands in the body; also its key on the screen. */
  readonly pointer: string
  /** The answer as it was given, undefined without one. */
  readonly value: unknown
  /** Must be given by the person who fills in: required now, not read-only, and not to be owed. */
  readonly required: boolean
  /** It is required and may be owed (容缺): through that day, or `''` where none is said. */
  readonly owedUntil: string | undefined
  readonly answered: boolean
  /** The sentence of a rule that asks for this item or another one (任选其一); null without one. */
  readonly oneOf: string | null
  /** The answer counts as a problem (记为问题). */
  readonly problem: boolean
  /** The answers that the entry of its row offers. */
  readonly options: readonly string[] | undefined
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
  readonly tab: string | undefined
  readonly items: readonly PlanItem[]
  readonly progress: Progress
}

/** A tab (分页) with its sections that have a visible item. */
export interface PlanTab {
  readonly code: string
  readonly title: string
  readonly sections: readonly PlanSection[]
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
  /** Tabs with at least one visible item; none where the form has no tabs. */
  readonly tabs: readonly PlanTab[]
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
  /** The dictionaries that are known on this phone; the body is best one that `propose` has filled in. */
  readonly words?: Words
}

type Options = PlanOptions & { readonly proposed: Proposed | undefined }

/** Plans the screen for a body. Cheap enough to be called for every answer; a disposal joins with the first problem. */
export function planForm(form: Form, given: FormBody, options: PlanOptions = {}): Plan {
  const proposed = options.words === undefined ? undefined : propose(form, given, options.words)
  const body = proposed?.body ?? given
  const taken: Options = { ...options, proposed }
  const reading = readBody(form, body)
  const decided = decide(form, reading)
  const asked = askedByRules(form, reading, decided)
  const before = options.previous
  const sections = form.sections.flatMap((section) => {
    const items = section.items
      .filter((item) => isShown(item, decided, reading, options.roles))
      .map((item) => planItem(item, body, reading, decided, asked.get(item.name), taken))
    return items.length === 0 ? [] : [planSection(section, items, before)]
  })
  const byPointer = new Map<string, PlanItem>()
  for (const section of sections) for (const item of withRows(section.items)) byPointer.set(item.pointer, item)
  const all = [...byPointer.values()]
  return {
    sections: kept(before?.sections, sections),
    tabs: kept(before?.tabs, tabsOf(form, sections, before)),
    progress: kept(before?.progress, progressOf(all)),
    problemsFound: decided.problemsFound,
    problems: all.filter((one) => one.problem && one.rows.length === 0).map((one) => ({
      pointer: one.pointer, item: one.item, text: problemText(one.item.definition, one.value),
    })),
    open: all.filter((one) => one.required && !one.answered).map((one) => one.pointer),
    byPointer,
  }
}

function tabsOf(form: Form, sections: readonly PlanSection[], before: Plan | undefined): PlanTab[] {
  return form.tabs.flatMap(({ code, title }) => {
    const known = before?.tabs.find((one) => one.code === code)
    const own = kept(known?.sections, sections.filter((one) => one.tab === code))
    const progress = kept(known?.progress, progressOf(own.flatMap((one) => withRows(one.items))))
    return own.length === 0 ? [] : [kept(known, { code, title, sections: own, progress })]
  })
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

/** What the rules of a form (至少填写一项) ask of an item. */
interface Asked {
  readonly message: string
  /** Of those that a rule names one counts as required: the first that is given, else the first that is shown. */
  readonly counts: boolean
}

function askedByRules(form: Form, reading: Reading, decided: Decided): ReadonlyMap<string, Asked> {
  const asked = new Map<string, Asked>()
  for (const rule of form.rules) {
    if (rule.visibleWhen !== undefined && !holds(rule.visibleWhen, decided.lookup())) continue
    const shown = rule.names.filter((name) => !decided.hidden.has(name))
    const counting = shown.find((name) => reading.given.has(name)) ?? shown[0]
    for (const name of shown) asked.set(name, { message: rule.message, counts: name === counting })
  }
  return asked
}

function planItem(
  item: Item, body: FormBody, reading: Reading, decided: Decided, rule: Asked | undefined, options: Options,
): PlanItem {
  const holder = item.place === '' ? body : (body[item.place] as Raw)
  const read = reading.given.get(item.name)
  return planned(item, item.pointer, read, holder, decided.values.get(item.name), decided, NO_CELLS, options, rule)
}

type Raw = Readonly<Record<string, unknown>> | undefined
const NO_CELLS: Cells = new Map()

/**
 * An item of the form or of a row: `holder` is the object of the body that has its answer, `value` the decided one,
 * `around` the cells of the row that it stands in, `rule` what a rule of the form asks of it, `said` the entry of its row.
 */
function planned(
  item: Item, at: string, read: Read | undefined, holder: Raw, value: unknown, decided: Decided, around: Cells,
  options: Options, rule?: Asked, said?: WordEntry,
): PlanItem {
  const alone = entry(item, at, read, holder, value, decided, around, said)
  const counts = rule?.counts === true && item.definition.readonly !== true
  const made = { ...alone, required: alone.required || counts, oneOf: rule?.message ?? null }
  const before = options.previous?.byPointer.get(at)
  if (isWorkedOut(item.definition)) {
    return kept(before, { ...made, value, required: false, answered: value !== undefined && value !== '0' })
  }
  if (item.definition.type !== 'group') return kept(before, made)
  const visible = value as readonly Cells[] | undefined
  const raw = (holder?.[item.name] ?? []) as readonly unknown[]
  const rows = (read?.rows ?? []).map((row, index) =>
    planRow(item, `${at}/${index}`, index, row, raw[index] as Raw, visible?.[index], decided, around, options))
  const required = made.required || (item.minItems > 0 && item.definition.readonly !== true)
  const answered = rows.length >= Math.max(1, item.minItems)
  return kept(before, { ...made, required, answered, rows: kept(before?.rows, rows) })
}

function planRow(
  group: Item, pointer: string, index: number, row: ReadRow, raw: Raw, visible: Cells | undefined, decided: Decided,
  around: Cells, options: Options,
): PlanRow {
  const said = options.proposed?.entries.get(pointer.slice(0, pointer.lastIndexOf('/')))?.[index]
  const known = new Map([...around, ...(visible ?? NO_CELLS)])
  const items = [...group.inner.values()]
    .filter((item) => !decided.hiddenInside.has(pointer + item.pointer))
    .map((item) => {
      const at = pointer + item.pointer
      const holder = row.isObject ? raw : undefined
      const value = visible?.get(item.name)
      return planned(item, at, row.cells.get(item.name), holder, value, decided, known, options, undefined, said)
    })
  const before = options.previous?.byPointer.get(pointer.slice(0, pointer.lastIndexOf('/')))?.rows[index]
  return kept(before, {
    index, pointer, items: kept(before?.items, items), progress: kept(before?.progress, progressOf(withRows(items))),
  })
}

const NO_ROWS: readonly PlanRow[] = []

function entry(
  item: Item, pointer: string, read: Read | undefined, holder: Raw, value: unknown, decided: Decided, row: Cells,
  said: WordEntry | undefined,
): PlanItem {
  const demands = demandsOf(item.definition, said)
  const demanded = item.definition.readonly !== true && (demands.required || isRequired(item, decided, row))
  const until = owedUntil(item, decided, row)
  return {
    item,
    pointer,
    value: read === undefined ? undefined : holder?.[item.name],
    required: demanded && until === null,
    owedUntil: demanded && until !== null ? (until ?? '') : undefined,
    answered: read !== undefined,
    oneOf: null,
    problem: item.detects && hasProblem(item, value),
    options: demands.options,
    rows: NO_ROWS,
  }
}

function planSection(section: Section, items: readonly PlanItem[], plan: Plan | undefined): PlanSection {
  const before = plan?.sections.find((one) => one.code === section.code)
  return kept(before, {
    code: section.code,
    title: section.title,
    tab: section.tab,
    items: kept(before?.items, items),
    progress: kept(before?.progress, progressOf(withRows(items))),
  })
}

/** Items with those of their rows, in the order of the form. */
function withRows(items: readonly PlanItem[]): PlanItem[] {
  return items.flatMap((one) => [one, ...one.rows.flatMap((row) => withRows(row.items))])
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

/** The object of before where nothing in it changed. */
function kept<Part extends object>(before: Part | undefined, now: Part): Part {
  if (before === undefined) return now
  const keys = Object.keys(now) as (keyof Part)[]
  const same = keys.length === Object.keys(before).length && keys.every((key) => before[key] === now[key])
  return same ? before : now
}
