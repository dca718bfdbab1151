/** 下达整改 from a record: its words, and the problem as the check found it. */
import type { components } from '@gongpin/core'

import type { WholeRecord } from '@/pages/records/types'

/** Characters that the server takes. */
export const MOST = 2000

/** What the check found, a line for each problem. */
export function foundText(found: WholeRecord['problems']): string {
  const lines = found.map(({ no, statement, note }) => `${no} ${statement}${note ? `（${note}）` : ''}`)
  return lines.join('\n').slice(0, MOST)
}

/** The labels of the two fields, from the form of the kind. */
export function labelsOf(form: components['schemas']['FormDefinition'] | undefined): { problem: string; due_on: string } {
  const items = form?.sections.flatMap((section) => section.items) ?? []
  const label = (field: string) => (items.find((item) => 'field' in item && item.field === field) as { text?: string } | undefined)?.text
  return { problem: label('problem') ?? '存在问题', due_on: label('due_on') ?? '整改期限' }
}
