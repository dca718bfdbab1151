/**
 * What stands in a body because a dictionary says it (`core/forms/validation/proposing.py` has the same rules): rows that
 * a dictionary proposes, and cells that hold what an entry says. What is not known on this phone stays as it is.
 */
import type { FormBody, ItemDefinition } from './definition'
import type { Form, Item } from './form'
import { isObject } from './reading'
import { cleanLine } from './text'

/** An entry of a dictionary; `detail` is what else it says: a unit, stars, whether an answer is required. */
export interface WordEntry {
  readonly code: string
  readonly name: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** Where entries are looked up. */
export interface Words {
  /** The entry of a code; null: the dictionary has none; undefined: not known here. */
  entry(dictionary: string, code: string): WordEntry | null | undefined
  /** The entries below a parent in their order (`''`: those below none); undefined: not known here. */
  rows(dictionary: string, parent: string): readonly WordEntry[] | undefined
}

export interface Proposed {
  readonly body: FormBody
  /** By the pointer of a group: the entries of its rows. */
  readonly entries: ReadonlyMap<string, readonly WordEntry[]>
  /** Pointers of searched choices that their dictionary does not have. */
  readonly unknown: ReadonlySet<string>
}

type Cells = Readonly<Record<string, unknown>>
type Chosen = ReadonlyMap<string, WordEntry | null>

/** Fills in what dictionaries say. */
export function propose(form: Form, body: FormBody, words: Words): Proposed {
  const entries = new Map<string, readonly WordEntry[]>()
  const unknown = new Set<string>()
  const asking = form.items.filter((item) => item.place === '' && asks(item))
  const filled = asking.length === 0 ? body : holderOf(asking, body, {}, '', null, new Map(), { words, entries, unknown })
  return { body: filled as FormBody, entries, unknown }
}

/** The dictionary in which the choices of an item are searched; undefined where they stand in the form. */
export function searchedIn(definition: ItemDefinition): string | undefined {
  return 'search' in definition && definition.search === true ? definition.options_from : undefined
}

/** Whether an item holds what a dictionary says, so that nobody fills it in. */
export function isFromEntry(definition: ItemDefinition): boolean {
  return 'from_entry' in definition && definition.from_entry !== undefined
}

/** Whether an item, or one in its rows, takes something from a dictionary. */
export function asks(item: Item): boolean {
  const own = searchedIn(item.definition) !== undefined || rowsFrom(item) !== undefined || isFromEntry(item.definition)
  return own || [...item.inner.values()].some(asks)
}

/** The answers among which an entry has the text of its row chosen, and whether one must be given. */
export function demandsOf(definition: ItemDefinition, entry: WordEntry | undefined): { options?: string[]; required: boolean } {
  if (entry === undefined || definition.type !== 'text') return { required: false }
  const required = definition.required_entry !== undefined && valueOf(entry, definition.required_entry) === true
  const said = definition.options_entry === undefined ? undefined : valueOf(entry, definition.options_entry)
  const options = Array.isArray(said) && said.length > 0 ? (said as string[]) : undefined
  return { required, ...(options ? { options } : {}) }
}

interface Filling {
  readonly words: Words
  readonly entries: Map<string, readonly WordEntry[]>
  readonly unknown: Set<string>
}

function holderOf(
  items: readonly Item[], holder: Cells, around: Cells, at: string, entry: WordEntry | null, before: Chosen, filling: Filling,
): Cells {
  const filled: Record<string, unknown> = { ...holder }
  const known = { ...around, ...holder }
  const chosen = new Map([...before, ...chosenIn(items, holder, at, filling)])
  for (const item of items) {
    const { definition } = item
    if ('from_entry' in definition && definition.from_entry !== undefined) {
      const dot = definition.from_entry.lastIndexOf('.')
      const name = dot < 0 ? '' : definition.from_entry.slice(0, dot)
      const said = name === '' ? entry : chosen.get(name)
      if (said) filled[item.name] = asValue(valueOf(said, definition.from_entry.slice(dot + 1)))
      else if (chosen.has(name)) delete filled[item.name]
      if (filled[item.name] === undefined) delete filled[item.name]
    } else if (definition.type === 'group') {
      const rows = rowsOf(item, filled[item.name], known, at + item.pointer, chosen, filling)
      if (rows !== undefined) filled[item.name] = rows
    }
  }
  return filled
}

function chosenIn(items: readonly Item[], holder: Cells, at: string, { words, unknown }: Filling): Map<string, WordEntry | null> {
  const chosen = new Map<string, WordEntry | null>()
  for (const item of items) {
    const dictionary = searchedIn(item.definition)
    if (dictionary === undefined) continue
    const held = holder[item.name]
    const codes = (Array.isArray(held) ? held : [held]).map((one) => codesIn(one)[0])
    const found = codes.map((code) => (code === undefined ? null : words.entry(dictionary, code)))
    codes.forEach((code, index) => {
      if (code !== undefined && found[index] === null) {
        unknown.add(Array.isArray(held) ? `${at}${item.pointer}/${index}` : at + item.pointer)
      }
    })
    if (found.every((one) => one !== undefined)) chosen.set(item.name, found.find((one) => one) ?? null)
  }
  return chosen
}

function rowsOf(
  group: Item, held: unknown, known: Cells, at: string, chosen: Chosen, filling: Filling,
): readonly unknown[] | undefined {
  let rows = held
  let proposed: readonly WordEntry[] | undefined
  const dictionary = rowsFrom(group)
  if (dictionary !== undefined && (rows === undefined || rows === null || Array.isArray(rows))) {
    const parent = parentOf(group, known)
    proposed = parent === undefined ? [] : filling.words.rows(dictionary, parent)
    if (proposed !== undefined) {
      filling.entries.set(at, proposed)
      rows = inTheirOrder(group, (rows ?? []) as readonly unknown[], proposed)
    }
  }
  if (!Array.isArray(rows)) return undefined
  const inner = [...group.inner.values()]
  return (rows as readonly unknown[]).map((row, index) =>
    isObject(row) ? holderOf(inner, row, known, `${at}/${index}`, proposed?.[index] ?? null, chosen, filling) : row)
}

function inTheirOrder(group: Item, rows: readonly unknown[], entries: readonly WordEntry[]): unknown[] {
  const key = [...group.inner.values()].find((one) => 'from_entry' in one.definition && one.definition.from_entry === 'code')?.name ?? ''
  const sent = new Map<string, unknown>()
  for (const row of rows) {
    const code = isObject(row) ? codesIn(row[key])[0] : undefined
    if (code !== undefined && !sent.has(code)) sent.set(code, row)
  }
  return entries.map((entry) => sent.get(entry.code) ?? {})
}

/** Below which entry the rows of a group stand; undefined: nothing is chosen yet. */
export function parentOf(group: Item, known: Cells): string | undefined {
  const name = group.definition.type === 'group' ? group.definition.rows_of : undefined
  return name === undefined ? '' : codesIn(known[name])[0]
}

export function rowsFrom(item: Item): string | undefined {
  return item.definition.type === 'group' ? item.definition.rows_from : undefined
}

function codesIn(value: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.flatMap((one) => (typeof one === 'string' && cleanLine(one) !== '' ? [cleanLine(one)] : []))
}

function valueOf(entry: WordEntry, key: string): unknown {
  return key === 'code' ? entry.code : key === 'name' ? entry.name : entry.detail[key]
}

function asValue(said: unknown): unknown {
  if (said === null || said === undefined) return undefined
  return typeof said === 'string' || typeof said === 'boolean' ? said : String(said)
}
