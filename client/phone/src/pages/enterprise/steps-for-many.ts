/** Steps for many (批量办理): which the filings of a list allow now, and the job that takes one. */
import type { FilingRow, Kind } from '@gongpin/core/speech'

export interface ManyStep {
  action: string
  label: string
  comment_required: boolean
  /** Those of the list for which the person may take it now. */
  ids: string[]
}

/** The steps that a kind allows for many, each with the filings that wait for it; none where nobody does. */
export function manySteps(kind: Pick<Kind, 'steps'> | undefined, rows: readonly Pick<FilingRow, 'id' | 'status' | 'actions'>[]): ManyStep[] {
  const steps = new Map<string, ManyStep>()
  for (const step of kind?.steps ?? []) {
    if (!step.many || !step.mine) continue
    const ids = rows.filter((row) => row.status === step.from && (row.actions as string[]).includes(step.action)).map((row) => row.id)
    const known = steps.get(step.action)
    if (known) known.ids.push(...ids)
    else if (ids.length) steps.set(step.action, { action: step.action, label: step.label, comment_required: step.comment_required, ids })
  }
  return [...steps.values()]
}
