/** Checks and spot checks as the server lists and answers them; both kinds of record have the same shape. */
import type { AnswerOf, QueryOf } from '@gongpin/core'

/** As the addresses call them: checks (检查), spot checks (监督抽查). */
export type RecordType = 'inspections' | 'spot-checks'

export type RecordRow = AnswerOf<'/api/v1/inspections', 'get'>['items'][number]
export type WholeRecord = AnswerOf<'/api/v1/inspections/{record_id}', 'get'>
export type RecordMove = AnswerOf<'/api/v1/inspections/{record_id}/history', 'get'>['items'][number]
export type RecordQuery = QueryOf<'/api/v1/inspections', 'get'>
export type Action = AnswerOf<'/api/v1/inspections/{record_id}/actions', 'get'>['actions'][number]

export const TYPES: { value: RecordType; label: string }[] = [
  { value: 'inspections', label: '检查' },
  { value: 'spot-checks', label: '抽查' },
]

export function isRecordType(text: unknown): text is RecordType {
  return text === 'inspections' || text === 'spot-checks'
}
