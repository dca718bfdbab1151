/** Questions with two verbs: `if (await confirm({title: '删除…？', yes: '删除记录', no: '保留'}))`. One at a time. */
import { shallowRef } from 'vue'

export interface Question {
  /** The question itself. */
  title: string
  /** What follows from a yes, in a sentence. */
  text?: string
  /** Verb of the button that does it. */
  yes: string
  /** Verb of the safe button. */
  no: string
  /** What yes does cannot be undone. */
  danger?: boolean
}

export const asked = shallowRef<Question | null>(null)
let settle: ((answer: boolean) => void) | null = null

/** Asks over the page; Esc, back and a tap beside it mean no. A new question answers an open one with no. */
export function confirm(question: Question): Promise<boolean> {
  settle?.(false)
  asked.value = question
  return new Promise((resolve) => (settle = resolve))
}

export function answer(yes: boolean): void {
  asked.value = null
  settle?.(yes)
  settle = null
}
