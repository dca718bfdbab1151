/** Opens the record that the pages of this folder work on: one at a time, shared by them. */
import { type Body, carryOver, type Draft, type FormDefinition, type RecordType, type Workplace } from '@gongpin/core'

import { chinaToday } from '@gongpin/core/speech'
import { workplace } from '@/services'
import { session } from '@/session'
import { Filling } from './filling'
import { lastVisit } from './last-visit'
import { lastPeople, presetBody, type Known } from './presets'

/** The draft is gone: submitted or deleted meanwhile. */
export class NoDraft extends Error {}

let current: Filling | null = null

/** The one that is open; null after a reload, or when a page was opened directly. */
export function openFilling(): Filling | null {
  return current
}

export function closeFilling(): void {
  current?.close()
  current = null
}

/** Goes on with a draft (继续填报). Rejects with `NoDraft`; with `Unreachable` where the phone never had its form. */
export async function resume(id: string): Promise<Filling> {
  if (current?.draft.value?.id === id) {
    if (await current.refresh()) return current
    closeFilling()
    throw new NoDraft()
  }
  const place = await workplace()
  const draft = await place.drafts.get(id)
  if (draft === undefined) throw new NoDraft()
  const { definition, body, carried } = await fittingForm(place, draft)
  const filling = take(new Filling(place, definition, draft.recordType, body, draft))
  if (carried !== null) {
    filling.carried = { carried, open: filling.plan.value.open.length }
    await place.drafts.change(id, () => body)
  }
  if (draft.problem !== null) filling.faults.value = draft.problem.errors
  void besideLast(filling)
  return filling
}

/** Begins a record about an enterprise; nothing is stored before something is typed or 继续 is tapped. */
export async function begin(code: string, known: Known | undefined, typed: { uscc?: string; name?: string; facts?: Record<string, string> }): Promise<Filling> {
  const place = await workplace()
  const { body: definition } = await place.kept.get('/api/v1/forms/{code}', { code })
  const productCode = session.product?.code ?? ''
  const kept = known && (await place.register.get(known.uscc))
  const draft = new Filling(place, definition, recordTypeOf(definition), {}, null)
  const last = await lastVisit(place, kept, draft.form, productCode)
  draft.close()
  const body: Body = {
    kind: definition.code,
    product_code: productCode,
    form_version: definition.version,
    ...presetBody(draft.form, {
      ...{ known, ...typed, last: last ? { ...last.facts, ...last.body } : undefined, productCode, today: chinaToday() },
      people: lastPeople(personKey(), session.me?.operator_name ?? '', last?.body),
    }),
  }
  const filling = take(new Filling(place, definition, recordTypeOf(definition), body, null))
  filling.last.value = last
  filling.known = known
  return filling
}

/** Under which what a person chose last is kept on this phone. */
export function personKey(): string {
  return `${session.me?.id ?? ''}/${session.me?.operator_name ?? ''}`
}

function take(filling: Filling): Filling {
  closeFilling()
  current = filling
  return filling
}

function recordTypeOf(definition: FormDefinition): RecordType {
  return definition.kind === 'spot_check' ? 'spot-checks' : 'inspections'
}

/** The version that the draft answers while it is accepted; after that the newest, with what it takes of the answers. */
async function fittingForm(
  { kept }: Workplace, draft: Draft,
): Promise<{ definition: FormDefinition; body: Body; carried: number | null }> {
  const code = String(draft.body['kind'])
  const { body: newest } = await kept.get('/api/v1/forms/{code}', { code })
  const version = draft.body['form_version']
  if (typeof version !== 'number' || version === newest.version) return { definition: newest, body: draft.body, carried: null }
  if (!newest.accept_until || chinaToday() <= newest.accept_until) {
    const { body: old } = await kept.get('/api/v1/forms/{code}/{version}', { code, version })
    return { definition: old, body: draft.body, carried: null }
  }
  const former = new Filling(await workplace(), newest, draft.recordType, draft.body, null)
  const taken = carryOver(former.form, former.answers, chinaToday())
  const beside = Object.fromEntries(Object.entries(draft.body).filter(([name]) => !(name in former.answers)))
  former.close()
  return { definition: newest, body: { ...beside, ...taken.body, form_version: newest.version }, carried: taken.carried }
}

async function besideLast(filling: Filling): Promise<void> {
  const uscc = filling.body.value['uscc']
  if (typeof uscc !== 'string') return
  const enterprise = await filling.workplace.register.get(uscc)
  filling.last.value = await lastVisit(filling.workplace, enterprise, filling.form, filling.productCode)
}
