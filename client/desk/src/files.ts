/** Names and sizes of files, asked once each. */
import type { AnswerOf } from '@gongpin/core'

import { api } from './api'

export type FileDetails = AnswerOf<'/api/v1/files/{file_id}/details', 'get'>

const known = new Map<string, Promise<FileDetails>>()

export function detailsOf(id: string): Promise<FileDetails> {
  const asked = known.get(id) ?? api.get('/api/v1/files/{file_id}/details', { path: { file_id: id } }).then((answer) => answer.body)
  known.set(id, asked)
  asked.catch(() => known.delete(id))
  return asked
}
