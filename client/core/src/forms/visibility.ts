/** What of a body is visible, and whether it found problems: one decision after the other (`form.ts` has their order). */
import { holds, type Lookup, PROBLEMS_FOUND } from './conditions'
import type { Condition } from './definition'
import type { Form, Item, Section } from './form'
import type { Reading } from './reading'
import { isWorkedOut, workedOut } from './relations'

/** The cells of a row that are visible and sound, by name. */
export type Cells = ReadonlyMap<string, unknown>

export interface Decided {
  /** Visible, sound values by name; those of a group are lists of `Cells`. */
  readonly values: ReadonlyMap<string, unknown>
  readonly hidden: ReadonlySet<string>
  /** The pointers of what is hidden in rows. */
  readonly hiddenInside: ReadonlySet<string>
  readonly problemsFound: boolean
  /** The names of numbers that are worked out and have too many digits. */
  readonly tooLarge: ReadonlySet<string>
  /** Looks a name up in the body, or first in a row. */
  readonly lookup: (row?: Cells) => Lookup
}

/** Decides what is visible. What is hidden is not given for the conditions that are decided later. */
export function decide(form: Form, reading: Reading): Decided {
  const values = new Map<string, unknown>()
  for (const [name, read] of reading.given) if (read.sound) values.set(name, read.value)
  const hidden = new Set<string>()
  const hiddenInside = new Set<string>()
  const sections = new Map<Section, boolean>()
  let problemsFound = false
  const value: Lookup = (name) => (name === PROBLEMS_FOUND ? problemsFound : values.get(name))
  const lookup = (row?: Cells): Lookup => (row === undefined ? value : (name) => row.get(name) ?? value(name))

  const sectionShown = (section: Section): boolean => {
    let shown = sections.get(section)
    if (shown === undefined) {
      shown = section.visibleWhen === undefined || holds(section.visibleWhen, value)
      sections.set(section, shown)
    }
    return shown
  }

  for (const { item, section } of form.steps) {
    if (item === null || section === null) {
      problemsFound = form.items.some((one) => one.detects && hasProblem(one, values.get(one.name)))
      continue
    }
    const own = item.definition.visible_when
    if (!sectionShown(section) || (own !== undefined && !holds(own, value))) {
      hidden.add(item.name)
      values.delete(item.name)
    } else if (item.innerOrder.length > 0 && values.has(item.name)) {
      const rows = values.get(item.name) as readonly Cells[]
      values.set(item.name, decideRows(item, item.pointer, rows, lookup, new Map(), hiddenInside))
    }
  }
  const tooLarge = new Set<string>()
  const rowsOf = (group: string): readonly Cells[] => (values.get(group) as readonly Cells[] | undefined) ?? []
  for (const item of form.items) {
    if (!isWorkedOut(item.definition) || hidden.has(item.name)) continue
    const number = workedOut(item.definition, rowsOf, lookup)
    if (number === null) tooLarge.add(item.name)
    else values.set(item.name, number)
  }
  return { values, hidden, hiddenInside, problemsFound, tooLarge, lookup }
}

/** The rows of a group without what is hidden in them; `around` are the cells of the row that the group stands in. */
function decideRows(
  group: Item, at: string, rows: readonly Cells[], lookup: (row: Cells) => Lookup, around: Cells, hidden: Set<string>,
): readonly Cells[] {
  return rows.map((row, index) => {
    const cells = new Map(row)
    const known = new Map([...around, ...row])
    const value = lookup(known)
    for (const inner of group.innerOrder) {
      const pointer = `${at}/${index}${inner.pointer}`
      const when = inner.definition.visible_when as Condition | undefined
      if (when !== undefined && !holds(when, value)) {
        hidden.add(pointer)
        cells.delete(inner.name)
        known.delete(inner.name)
      } else if (inner.innerOrder.length > 0 && cells.has(inner.name)) {
        const decided = decideRows(inner, pointer, cells.get(inner.name) as readonly Cells[], lookup, known, hidden)
        cells.set(inner.name, decided)
        known.set(inner.name, decided)
      }
    }
    return cells
  })
}

/** Whether a visible, sound value counts as a problem (问题). */
export function hasProblem(item: Item, value: unknown): boolean {
  if (value === undefined) return false
  if (item.definition.type === 'group') {
    const inner = [...item.inner.values()]
    return (value as readonly Cells[]).some((row) => inner.some((one) => hasProblem(one, row.get(one.name))))
  }
  return Array.isArray(value)
    ? value.some((one) => item.problemAnswers.has(one))
    : item.problemAnswers.has(value)
}
