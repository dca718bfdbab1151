/** What can be chosen for an item, and how an answer reads. */
import type { ItemDefinition } from '../definition'

/** One choice; booleans are chosen by true and false. */
export interface Choice {
  readonly value: string | boolean
  readonly label: string
}

const YES_NO: readonly Choice[] = [{ value: true, label: '是' }, { value: false, label: '否' }]
const DISPOSALS: readonly Choice[] = [
  { value: 'done', label: '是' }, { value: 'in_progress', label: '办理中' }, { value: 'na', label: '不适用' },
]

/** The choices of an item in their order; null where it is typed, or chosen from the dictionary `options_from`. */
export function choicesOf(definition: ItemDefinition): readonly Choice[] | null {
  if (definition.type === 'boolean') return YES_NO
  if (definition.type === 'disposal') return DISPOSALS
  return 'options' in definition ? (definition.options ?? null) : null
}

/** How an answer reads: labels of options, 是 and 否, several joined by 、; `dictionary` has the entries of `options_from`. */
export function answerText(
  definition: ItemDefinition, value: unknown, dictionary: ReadonlyMap<string, string> = new Map(),
): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map((one) => answerText(definition, one, dictionary)).join('、')
  const chosen = choicesOf(definition)?.find((choice) => choice.value === value)
  const unit = definition.type === 'number' && definition.unit !== undefined ? ` ${definition.unit}` : ''
  return chosen?.label ?? dictionary.get(String(value)) ?? `${String(value)}${unit}`
}

/** What a problem is called: the item's `problem_text`, or its question with the answer (“是否依法取得证照：否”). */
export function problemText(definition: ItemDefinition, value: unknown): string {
  const listed: readonly unknown[] = ('problem_when' in definition && definition.problem_when) || []
  if ('problem_text' in definition && definition.problem_text !== undefined) return definition.problem_text
  const bad = (Array.isArray(value) ? value : [value]).filter((one) => listed.includes(one))
  return `${definition.text}：${answerText(definition, bad)}`
}
