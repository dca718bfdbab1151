/** A form definition made ready for use, once: `compileForm`. */
import { lineUp, namesIn, PROBLEMS_FOUND } from './conditions'
import type { Condition, FormDefinition, ItemDefinition } from './definition'
import { MAX_LISTED, rulesOf, type TypeRules } from './items/types'
import { pointer, tokensOf } from './pointers'

/** One item (项). `pointer` says where its answer stands in a body or, for an item of a group, in its row. */
export interface Item {
  readonly name: string
  /** The object of the body that holds it, or the name of its group. */
  readonly place: string
  readonly pointer: string
  readonly definition: ItemDefinition
  readonly text: string
  readonly rules: TypeRules
  readonly minItems: number
  readonly maxItems: number
  readonly problemAnswers: ReadonlySet<unknown>
  /** Whether an answer to it, or in one of its rows, can be a problem. */
  readonly detects: boolean
  /** The items of a group's rows, by name and in the order of the form. */
  readonly inner: ReadonlyMap<string, Item>
  /** The inner items of which something is decided in a row, in an order in which it can be. */
  readonly innerOrder: readonly Item[]
  /** The group in whose rows it stands. */
  readonly group: Item | null
}

export interface Section {
  readonly code: string
  readonly title: string
  /** The code of its tab (分页), where the form has tabs. */
  readonly tab: string | undefined
  readonly visibleWhen: Condition | undefined
  readonly items: readonly Item[]
}

/** A decision on what is visible; `item` is null where `problems_found` is known. */
export interface Step {
  readonly item: Item | null
  readonly section: Section | null
}

export interface Rule {
  readonly names: readonly string[]
  readonly message: string
  readonly visibleWhen: Condition | undefined
}

/** A page of the form (分页). */
export interface Tab {
  readonly code: string
  readonly title: string
}

/** A form made ready. Nothing in it changes. */
export interface Form {
  readonly definition: FormDefinition
  /** In their order; none where the form has no tabs. */
  readonly tabs: readonly Tab[]
  readonly sections: readonly Section[]
  /** All items in the order of the form; those of groups stand in their group. */
  readonly items: readonly Item[]
  /** Items by place (`''`, `'answers'`, `'disposals'`), then by name. */
  readonly places: ReadonlyMap<string, ReadonlyMap<string, Item>>
  readonly byName: ReadonlyMap<string, Item>
  readonly steps: readonly Step[]
  readonly rules: readonly Rule[]
}

/** The definition has types of items that this release does not know; the message is for the person. */
export class UnsupportedForm extends Error {
  constructor(readonly types: readonly string[]) {
    super('这张表格需要新版小程序，请更新后再填报')
  }
}

/**
 * Makes a definition ready. The server has checked it, so only what a newer server may have is refused: throws
 * `UnsupportedForm`. Keep the result: compiling costs more than planning.
 */
export function compileForm(definition: FormDefinition): Form {
  const unknown = new Set<string>()
  const sections = definition.sections.map((section) => ({
    code: section.code,
    title: section.title,
    tab: section.tab,
    visibleWhen: section.visible_when,
    items: section.items.map((item) => itemOf(item, null, unknown)),
  }))
  if (unknown.size > 0) throw new UnsupportedForm([...unknown])
  const items = sections.flatMap((section) => section.items)
  const places = new Map(
    ['', 'answers', 'disposals'].map((place) => {
      const here = items.filter((item) => item.place === place)
      return [place, new Map(here.map((item) => [item.name, item]))]
    }),
  )
  return {
    definition,
    tabs: definition.tabs ?? [],
    sections,
    items,
    places,
    byName: new Map(items.map((item) => [item.name, item])),
    steps: stepsOf(sections, items),
    rules: (definition.rules ?? []).map((rule) => ({
      names: rule.any_of,
      message: rule.message,
      visibleWhen: rule.visible_when,
    })),
  }
}

const UNKNOWN_RULES: TypeRules = {
  verb: '', counter: '项', listed: false, longest: 0, offered: new Set(), read: () => null, submission: () => [],
}

function itemOf(definition: ItemDefinition, group: Item | null, unknown: Set<string>): Item {
  const name = definition.no ?? definition.field ?? ''
  const rules = rulesOf(definition)
  if (rules === undefined) unknown.add(String((definition as { type: unknown }).type))
  let place = group?.name ?? ''
  if (group === null && definition.no !== undefined) place = definition.type === 'disposal' ? 'disposals' : 'answers'
  const problemAnswers = new Set<unknown>('problem_when' in definition ? definition.problem_when : [])
  const inner = new Map<string, Item>()
  const item = {
    name,
    place,
    pointer: group === null && place !== '' ? pointer(place, name) : pointer(name),
    definition,
    text: definition.text,
    rules: rules ?? UNKNOWN_RULES,
    minItems: ('min_items' in definition ? definition.min_items : undefined) ?? 0,
    maxItems: ('max_items' in definition ? definition.max_items : undefined) ?? MAX_LISTED,
    problemAnswers,
    detects: problemAnswers.size > 0,
    inner,
    innerOrder: [] as readonly Item[],
    group,
  }
  if (definition.type !== 'group') return item
  for (const one of definition.items) {
    const cell = itemOf(one, item, unknown)
    inner.set(cell.name, cell)
  }
  item.detects = [...inner.values()].some((one) => one.detects)
  item.innerOrder = innerOrderOf(inner)
  return item
}

function innerOrderOf(inner: ReadonlyMap<string, Item>): Item[] {
  const asks = new Map([...inner.values()].map((item) => [item.name, askedBy(item).filter((name) => inner.has(name))]))
  return lineUp(asks)
    .map((name) => inner.get(name)!)
    .filter((item) => item.definition.visible_when !== undefined || item.innerOrder.length > 0)
}

/** The names around an item that its visibility, and that of the items in its rows, asks about. */
function askedBy(item: Item): string[] {
  const inside = item.innerOrder.flatMap(askedBy).filter((name) => !item.inner.has(name))
  return [...namesIn(item.definition.visible_when), ...inside]
}

/** The title of the tab on which a place of the body stands; undefined for a place of no item, or without tabs. */
export function tabOf(form: Form, path: string): string | undefined {
  if (form.tabs.length === 0) return undefined
  const [first = '', second] = tokensOf(path)
  const name = second !== undefined && (first === 'answers' || first === 'disposals') ? second : first
  const section = form.sections.find((one) => one.items.some((item) => item.name === name))
  return form.tabs.find((one) => one.code === section?.tab)?.title
}

/** The item that a name means for an item: of its own row, of the rows around it, or outside of groups. */
export function namedBy(form: Form, item: Item, name: string): Item | undefined {
  for (let group = item.group; group !== null; group = group.group) {
    const found = group.inner.get(name)
    if (found !== undefined) return found
  }
  return form.byName.get(name)
}

/** The decisions in order; items that are always visible need none. */
function stepsOf(sections: readonly Section[], items: readonly Item[]): Step[] {
  const asks = new Map<string, string[]>()
  const possible = new Map<string, Step>([[PROBLEMS_FOUND, { item: null, section: null }]])
  for (const section of sections) {
    for (const item of section.items) {
      asks.set(item.name, [...namesIn(section.visibleWhen), ...askedBy(item)])
      if (section.visibleWhen !== undefined || item.definition.visible_when !== undefined || item.innerOrder.length > 0) {
        possible.set(item.name, { item, section })
      }
    }
  }
  asks.set(PROBLEMS_FOUND, items.filter((item) => item.detects).map((item) => item.name))
  return lineUp(asks).flatMap((name) => possible.get(name) ?? [])
}
