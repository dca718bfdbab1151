/** What of a record is still being disposed of. */
import type { Form } from '@gongpin/core'

import type { WholeRecord } from '@/pages/records/types'

/** The disposals (处置) of a record that are not settled, in the order of the form. */
export function openDisposals(form: Form, record: WholeRecord): { name: string; label: string }[] {
  return form.items
    .filter(({ place, name }) => place === 'disposals' && record.disposals?.[name] === 'in_progress')
    .map(({ name, text, definition }) => ({ name, label: definition.no ? `${definition.no} ${text}` : text }))
}
