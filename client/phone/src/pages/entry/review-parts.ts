/** What the review (核对并提交) reads out of a plan: problems by their names, facts section by section, what differs. */
import { answerText, type FormBody, type Plan, type PlanItem, type PlanRow, type PlanSection } from '@gongpin/core'

import { belongsTo, paperNumber } from '@/components/fields/place'

/** Names of dictionary words by id. */
export type Names = ReadonlyMap<string, string>

export interface ReviewedProblem {
  pointer: string
  no: string | undefined
  text: string
  /** What was written beside it. */
  notes: string[]
}

/** A row of a group: what it is about, and the rest of it in one line. */
export interface ReviewedRow {
  pointer: string
  title: string
  text: string
  problem: boolean
}

export interface ReviewedSection {
  code: string
  title: string
  lines: PlanItem[]
  rows: ReviewedRow[]
}

const NO_FACTS = ['photos', 'signature', 'file', 'group']

const wordsOf = (one: PlanItem, names: Names) => answerText(one.item.definition, one.value, names)
const isFact = (one: PlanItem) => one.answered && one.item.place === '' && !NO_FACTS.includes(one.item.definition.type)

/** The problems in the words of the form; one in a row of a group begins with what the row is about (导体电阻：不合格). */
export function problemsOf(plan: Plan, names: Names): ReviewedProblem[] {
  const items = [...plan.byPointer.values()]
  return plan.problems.map(({ pointer, item, text }) => {
    const row = items.flatMap((one) => one.rows).find((one) => pointer.startsWith(`${one.pointer}/`))
    if (row === undefined) {
      const notes = items.filter((one) => belongsTo(one.item.name, item.name) && typeof one.value === 'string')
      return { pointer, no: paperNumber(item.definition.no), text, notes: notes.map((one) => String(one.value)) }
    }
    const [first, ...others] = shownOf(row)
    const wrong = row.items.find((one) => one.pointer === pointer)!
    const told = 'problem_text' in item.definition && item.definition.problem_text ? text : wordsOf(wrong, names)
    const notes = others.filter((one) => one !== wrong).map((one) => `${one.item.text}：${wordsOf(one, names)}`)
    return { pointer, no: undefined, text: first && first !== wrong ? `${wordsOf(first, names)}：${told}` : text, notes }
  })
}

/** What was written down beside the questions, such as a sample (样品信息) and its results: only what was answered. */
export function factsOf(sections: readonly PlanSection[], names: Names): ReviewedSection[] {
  return sections
    .map(({ code, title, items }) => ({
      ...{ code, title, lines: items.filter(isFact) },
      rows: items.flatMap((group) => group.rows.map((row) => reviewedRow(group, row, names))),
    }))
    .filter(({ lines, rows }) => lines.length > 0 || rows.length > 0)
}

function reviewedRow(group: PlanItem, row: PlanRow, names: Names): ReviewedRow {
  const [first, ...others] = shownOf(row)
  return {
    pointer: row.pointer,
    title: first === undefined ? `${group.item.text} ${row.index + 1}` : wordsOf(first, names),
    text: others.map((one) => `${one.item.text} ${wordsOf(one, names)}`).join(' · '),
    problem: row.progress.problems > 0,
  }
}

function shownOf(row: PlanRow): PlanItem[] {
  return row.items.filter((one) => one.answered && !NO_FACTS.includes(one.item.definition.type))
}

/** Answers to questions that are others than at the last visit (与上次不同). */
export function differingFrom(plan: Plan, last: FormBody | undefined): { pointer: string; text: string; words: string }[] {
  const answers = last?.['answers'] as FormBody | undefined
  return [...plan.byPointer.values()].flatMap(({ item, pointer, value, answered }) => {
    const before = answers?.[item.name]
    if (item.place !== 'answers' || item.definition.type !== 'choice') return []
    if (before === undefined || !answered || before === value) return []
    const words = `${answerText(item.definition, before)} → ${answerText(item.definition, value)}`
    return [{ pointer, text: `${paperNumber(item.definition.no) ?? ''} ${item.text}`.trim(), words }]
  })
}
