/** One record with its form, its history and what the person may do with it; kept, so that it opens without a network. */
import { compileForm, type Form, type FormDefinition, Problem, Unreachable } from '@gongpin/core'
import { ref, shallowRef } from 'vue'

import { quietly } from '@/pages/records/filter-names'
import { keep, kept } from '@/pages/records/keeping'
import type { Action, RecordMove, RecordType, WholeRecord } from '@/pages/records/types'
import { services, workplace } from '@/services'

interface Seen {
  record: WholeRecord
  moves: RecordMove[]
}

export function useRecord() {
  const record = shallowRef<WholeRecord | null>(null)
  const form = shallowRef<Form | null>(null)
  const words = shallowRef<ReadonlyMap<string, string>>(new Map())
  const moves = shallowRef<RecordMove[]>([])
  const actions = shallowRef<Action[]>([])
  const pending = ref<string | null>(null)
  const error = shallowRef<unknown>(null)
  const age = ref<number | null>(null)

  /** What was read last is there at once; then as the server has it now. */
  async function read(type: RecordType, id: string): Promise<void> {
    error.value = null
    try {
      if (record.value === null) {
        const before = await kept<Seen>(id)
        if (before) await show(before.value, before.at)
      }
      await show(await fetched(type, id), null)
    } catch (raised) {
      if (!(raised instanceof Problem || raised instanceof Unreachable)) throw raised
      // What was voided, moved away or never ours is not shown any longer.
      if (raised instanceof Problem && raised.status === 404) record.value = null
      error.value = raised
    }
  }

  async function fetched(type: RecordType, id: string): Promise<Seen> {
    const { api } = await services()
    const path = { record_id: id }
    const [found, history, offered] = await (type === 'inspections'
      ? Promise.all([
          api.get('/api/v1/inspections/{record_id}', { path }),
          api.get('/api/v1/inspections/{record_id}/history', { path }),
          api.get('/api/v1/inspections/{record_id}/actions', { path }),
        ])
      : Promise.all([
          api.get('/api/v1/spot-checks/{record_id}', { path }),
          api.get('/api/v1/spot-checks/{record_id}/history', { path }),
          api.get('/api/v1/spot-checks/{record_id}/actions', { path }),
        ]))
    actions.value = offered.body.actions
    pending.value = offered.body.pending_request
    const seen = { record: found.body, moves: history.body.items }
    await keep(id, seen)
    return seen
  }

  async function show(seen: Seen, at: number | null): Promise<void> {
    const { form_code, form_version, product_code } = seen.record
    const { kept: answers } = await workplace()
    const { body } = await answers.get('/api/v1/forms/{code}/{version}', { code: form_code, version: form_version })
    form.value = compileForm(body as FormDefinition)
    record.value = seen.record
    moves.value = seen.moves
    age.value = at
    void wordsOf(product_code)
  }

  /** Names of what was chosen from dictionaries; where they cannot be had, those that stand in the record are enough. */
  async function wordsOf(productCode: string): Promise<void> {
    const { dictionary } = await workplace()
    const lists = await Promise.all(
      (['items', 'test-items'] as const).map((name) => quietly(() => dictionary.entries(name, productCode))),
    )
    words.value = new Map(lists.flatMap((list) => (list?.body ?? []).map(({ id, name }) => [id, name] as const)))
  }

  return { record, form, words, moves, actions, pending, error, age, read }
}
