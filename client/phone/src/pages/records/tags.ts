/** What stands at the right of a record in a list, and on top of its page: at most what a person acts upon. */
import type { RecordRow, WholeRecord } from './types'

export interface Tag {
  kind: 'mine' | 'other' | 'well' | 'returned' | 'bad'
  text: string
}

type Record = Pick<
  RecordRow,
  'status' | 'returned' | 'corrected' | 'name_differs' | 'disposal_state' | 'problems_found'
> & { conclusion?: RecordRow['conclusion'] | undefined; unable?: unknown }

/** The tags of a record, the one that matters most first. `mine`: the person can move its disposals. */
export function tagsOf(record: Record | WholeRecord, { mine = true } = {}): Tag[] {
  const one = record as Record
  if (one.status === 'voided') return [{ kind: 'bad', text: '已作废' }]
  const tags: Tag[] = []
  if (one.returned) tags.push({ kind: 'returned', text: '退回更正' })
  tags.push(...outcome(one, mine))
  if (one.corrected) tags.push({ kind: 'other', text: '已更正' })
  if (one.name_differs) tags.push({ kind: 'returned', text: '名称不符' })
  return tags
}

function outcome(record: Record, mine: boolean): Tag[] {
  if (record.conclusion === 'fail') return [{ kind: 'bad', text: '不合格' }]
  if (record.conclusion === 'pass') return [{ kind: 'well', text: '合格' }]
  if (record.conclusion === 'not_judged') return [{ kind: 'other', text: '不判定' }]
  if (record.unable === true) return [{ kind: 'other', text: '无法检查' }]
  if (!record.problems_found) return []
  if (record.disposal_state === 'in_progress') return [{ kind: mine ? 'mine' : 'other', text: '处置办理中' }]
  if (record.disposal_state === 'done') return [{ kind: 'well', text: '处置完成' }]
  return [{ kind: 'returned', text: '有问题' }]
}
