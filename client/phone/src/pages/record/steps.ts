/** What the person may do with a record: the one next step at the foot, the rest in 更多. */
import type { Action, WholeRecord } from '@/pages/records/types'

export type Step = Action | 'decide' | 'papers' | 'print' | 'share'

export const STEP_WORDS: Record<Step, string> = {
  dispose: '更新处置',
  rectify: '下达整改',
  correct: '更正',
  ask_correction: '申请更正',
  return: '退回更正',
  void: '作废',
  decide: '审核更正申请',
  papers: '执法文书',
  print: '打印',
  share: '转发给同事',
}

export interface Steps {
  /** The one solid button; null where nothing has to be done. */
  next: Step | null
  more: Step[]
}

/**
 * The next step is what somebody waits for: an application to decide, a returned record to correct, a disposal to move
 * on. Corrections that nobody asked for, and all else, stand in 更多, or as a plain button where they are alone.
 */
export function stepsOf(
  record: Pick<WholeRecord, 'returned'>,
  actions: readonly Action[],
  { decides = false, papers = false } = {},
): Steps {
  const asked: (Step | false)[] = [
    decides && 'decide',
    record.returned !== null && actions.includes('correct') && 'correct',
    actions.includes('dispose') && 'dispose',
    actions.includes('correct') && 'correct',
    actions.includes('ask_correction') && 'ask_correction',
  ]
  const next = asked.find((step): step is Step => step !== false) ?? null
  const all: Step[] = [...(decides ? (['decide'] as const) : []), ...actions, ...(papers ? (['papers'] as const) : []), 'print', 'share']
  // What cannot be taken back stands last, away from what is tapped often.
  const rest = all.filter((step) => step !== next)
  return { next, more: [...rest.filter((step) => step !== 'void'), ...rest.filter((step) => step === 'void')] }
}
