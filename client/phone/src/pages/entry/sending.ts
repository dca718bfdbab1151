/** Sends a record off: from here on it waits in the outbox, and the page of the result says what became of it. */
import { isPhrase } from '@/components/fields/phrases'
import { isRemembered, remember } from '@/components/fields/suggestions'
import { paperNumber } from '@/components/fields/place'
import type { Filling } from './filling'
import { closeFilling, personKey } from './opening'
import { keepPeople, PEOPLE } from './presets'

/** Rejects with `StorageFull` and `UnsettledConflict`; nothing has changed then. */
export async function sendOff(filling: Filling): Promise<void> {
  const { form, plan, answers, recordType } = filling
  const id = (await filling.ensure()).id
  const key = await filling.submit()
  for (const name of PEOPLE) {
    const people = answers[name]
    if (Array.isArray(people)) keepPeople(personKey(), people.map(String))
  }
  const items = [...plan.value.byPointer.values()]
  for (const { item, value } of items) {
    if (!isRemembered(item.definition)) continue
    const isRemark = item.definition.type === 'text' && item.definition.multiline === true
    for (const one of Array.isArray(value) ? value : [value]) {
      const text = typeof one === 'string' ? one.trim() : ''
      if (text !== '' && (!isRemark || isPhrase(text, filling.organisation))) remember(item.name, text)
    }
  }
  const open = items
    .filter(({ item, value }) => item.definition.type === 'disposal' && value === 'in_progress')
    .map(({ item }) => `${paperNumber(item.definition.no) ?? ''} ${item.text}`.trim())
  const query = {
    key, id, type: recordType, form: form.definition.code, what: form.definition.title, name: filling.organisation,
    open: open.join('、'), kind: form.definition.kind, problem: plan.value.problemsFound ? '1' : '',
  }
  closeFilling()
  const parts = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  uni.reLaunch({ url: `/pages/entry/done?${parts.join('&')}` })
}
