/** Answers as their form shows them: sections, questions, answers in words, photos and signatures; rows of groups likewise. */
import { answerText, type Form, type PlanItem, planForm } from '@gongpin/core'

export interface Shown {
  pointer: string
  no: string | undefined
  label: string
  /** The answer in words; empty where there is none. */
  text: string
  problem: boolean
  /** Ids of files of the item. */
  files: string[]
  /** Of a group: its rows, each with what stands in it. */
  rows: Shown[][]
}

export interface ShownSection {
  code: string
  title: string
  items: Shown[]
}

const NUMBER = /^[0-9]+(\.[0-9]+)*$/
const FILES = ['photos', 'signature', 'file']

/**
 * The sections of a record with what was answered. `words`: of dictionaries, by id; names that the server sends beside
 * ids (`product_names`, `item_name`) win, since they are those of the day.
 */
export function sectionsOf(form: Form, record: object, words: ReadonlyMap<string, string> = new Map()): ShownSection[] {
  const plan = planForm(form, record as never)
  return plan.sections.flatMap(({ code, title, items }) => {
    const shown = items
      .map((item) => shownItem(item, record as Record<string, unknown>, words))
      .filter((one) => one.text !== '' || one.files.length > 0 || one.rows.length > 0)
    return shown.length === 0 ? [] : [{ code, title, items: shown }]
  })
}

function shownItem(item: PlanItem, holder: Record<string, unknown>, words: ReadonlyMap<string, string>): Shown {
  const { definition } = item.item
  const no = definition.no !== undefined && NUMBER.test(definition.no) ? definition.no : undefined
  const base = { pointer: item.pointer, no, label: definition.text, problem: item.problem }
  if (FILES.includes(definition.type)) {
    const given = Array.isArray(item.value) ? item.value : [item.value]
    return { ...base, text: '', files: given.filter((id): id is string => typeof id === 'string'), rows: [] }
  }
  if (definition.type === 'group') {
    const rows = Array.isArray(item.value) ? (item.value as Record<string, unknown>[]) : []
    return {
      ...base,
      text: '',
      files: [],
      rows: item.rows.map((row) =>
        row.items
          .flatMap((one) => flat(shownItem(one, rows[row.index] ?? {}, words)))
          .filter((one) => one.text || one.files.length),
      ),
    }
  }
  const text = answerText(definition, item.value, namesBeside(item, holder, words))
  return { ...base, text, files: [], rows: [] }
}

/** What stands in the rows of a row is shown in that row: “工作经历 1 单位”. */
function flat(one: Shown): Shown[] {
  if (one.rows.length === 0) return [one]
  return one.rows.flatMap((row, place) => row.map((cell) => ({ ...cell, label: `${one.label} ${place + 1} ${cell.label}` })))
}

/** `products` and `product_names` are lists in one order; beside `item_id` stands `item_name`. */
function namesBeside(
  item: PlanItem,
  holder: Record<string, unknown>,
  words: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const { name } = item.item
  const beside = holder[name.endsWith('_id') ? name.replace(/_id$/, '_name') : `${name.replace(/s$/, '')}_names`]
  const ids = Array.isArray(item.value) ? item.value : [item.value]
  const names = Array.isArray(beside) ? beside : [beside]
  if (ids.length !== names.length || !names.every((one) => typeof one === 'string')) return words
  return new Map([...words, ...ids.map((id, place) => [String(id), names[place] as string] as const)])
}
