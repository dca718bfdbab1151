/** Kinds of filings as the server declares them; they change with a release only, so one answer serves the page. */
import type { AnswerOf } from '@gongpin/core'
import type { Kind } from '@gongpin/core/speech'

import { api } from './api'

export type KindSummary = AnswerOf<'/api/v1/filing-kinds', 'get'>['items'][number]

let list: Promise<KindSummary[]> | undefined
const whole = new Map<string, Promise<Kind>>()

export function kindsOf(): Promise<KindSummary[]> {
  list ??= api.get('/api/v1/filing-kinds', {}).then((answer) => answer.body.items)
  list.catch(() => (list = undefined))
  return list
}

export function kindOf(code: string): Promise<Kind> {
  const known = whole.get(code)
  if (known) return known
  const asked = api.get('/api/v1/filing-kinds/{kind}', { path: { kind: code } }).then((answer) => answer.body)
  whole.set(code, asked)
  asked.catch(() => whole.delete(code))
  return asked
}
