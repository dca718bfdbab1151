/** What a person changes in a submitted record before it is sent: kept on this phone, place by place, until it is accepted. */
import { bodyOf, filesIn, type FormBody, type Json, planForm, setAnswer } from '@gongpin/core'
import { computed, ref, shallowRef } from 'vue'

import { services, workplace } from '@/services'
import { session } from '@/session'
import { sectionsOf } from '@/shown-answers'
import { compared } from './compare'
import { useRecord } from './use-record'
import type { WholeRecord } from '@/pages/records/types'

interface Kept {
  edits: [string, Json][]
  reason: string
}

export function useCorrection() {
  const { record, form, words, error, read } = useRecord()
  const edits = shallowRef<[string, unknown][]>([])
  const reason = ref('')
  /** Why the edits are not kept. */
  const full = ref(false)
  let id = ''

  const base = computed(() => (record.value ? (bodyOf(record.value as never) as FormBody) : null))
  const body = computed(() =>
    base.value ? edits.value.reduce<FormBody>((made, [pointer, value]) => setAnswer(made, pointer, value), base.value) : null,
  )
  const plan = computed(() => (form.value && body.value ? planForm(form.value, body.value) : null))
  /** Places that differ from the record, in words. */
  const changes = computed(() => {
    if (!form.value || !record.value || !body.value) return []
    const after = { ...record.value, ...body.value, product_names: undefined } as unknown as WholeRecord
    const places = compared(
      sectionsOf(form.value, record.value, words.value),
      sectionsOf(form.value, after, namesOf(record.value)),
    )
    return places.filter(({ same }) => !same)
  })

  /** Names of dictionaries, those that stand in the record included. */
  function namesOf(one: WholeRecord): ReadonlyMap<string, string> {
    const { products, product_names: names } = one as unknown as { products?: string[]; product_names?: string[] }
    return new Map([...(products ?? []).map((product, place) => [product, names?.[place] ?? product] as const), ...words.value])
  }

  async function open(type: 'inspections' | 'spot-checks', asked: string): Promise<void> {
    id = asked
    await read(type, id)
    const { platform } = await services()
    const before = (await platform.store.get(place())) as unknown as Kept | undefined
    if (before === undefined) return
    edits.value = before.edits
    reason.value = before.reason
  }

  async function change(pointer: string, value: unknown): Promise<void> {
    // An edit of a whole group takes the place of edits within it.
    const others = edits.value.filter(([one]) => one !== pointer && !one.startsWith(`${pointer}/`))
    edits.value = [...others, [pointer, value ?? null]]
    await keep()
  }

  async function keep(): Promise<void> {
    const { platform } = await services()
    const kept = { edits: edits.value, reason: reason.value } as unknown as Json
    try {
      await platform.store.write([[place(), kept]])
      full.value = false
    } catch {
      full.value = true
    }
  }

  /** After it was accepted, or given up. */
  async function forget(): Promise<void> {
    const { platform } = await services()
    await platform.store.write([[place(), undefined]])
    edits.value = []
    reason.value = ''
  }

  /** Photos that were added here go to the server first. Raises as `Api` does. */
  async function upload(): Promise<void> {
    const { attachments } = await workplace()
    const known = new Set((await attachments.list()).map((file) => file.id))
    for (const file of filesIn(body.value as Json, known)) await attachments.upload(file, session.token ?? '')
  }

  /** The files that were added here need no more room on the phone. */
  async function release(): Promise<void> {
    const { attachments } = await workplace()
    const known = new Set((await attachments.list()).map((file) => file.id))
    await attachments.remove(filesIn(body.value as Json, known))
  }

  function place(): string {
    return `correcting/${session.me?.id ?? ''}/${id}`
  }

  return { record, form, error, body, plan, reason, changes, full, open, again: read, change, keep, forget, upload, release }
}
