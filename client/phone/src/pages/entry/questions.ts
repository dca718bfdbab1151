/** What the server would ask of a record, asked on the spot: names, product, same check today, licence, region. */
import { duplicatesOf, type KeptEnterprise, nameQuestion } from '@gongpin/core'

import { clockTime, chinaToday } from '@gongpin/core/speech'
import type { Filling } from './filling'

export interface Question {
  key: 'name' | 'producer' | 'product' | 'duplicate' | 'licence' | 'region'
  text: string
  /** The key of the record by which a yes is told to the server; without one it is a note that needs no answer. */
  flag?: 'confirm_name' | 'confirm_duplicate'
  /** Verb of the yes. */
  yes?: string
  /** The name in the register, to be taken instead, and the place where it then stands. */
  registered?: { pointer: string; name: string }
  /** A record to look at first. */
  record?: { id: string; isSent: boolean }
}

export async function questionsOf(filling: Filling): Promise<Question[]> {
  const { workplace, body, form } = filling
  const { register, outbox, kept } = workplace
  const uscc = text(body.value['uscc'])
  const name = text(body.value['org_name'])
  const enterprise = uscc === '' ? undefined : await register.get(uscc)
  const questions: Question[] = []

  const asked = nameAsked('name', enterprise, name, '/org_name')
  if (asked !== null) questions.push(asked)
  if (filling.form.byName.has('nominal_producer_uscc')) {
    const producer = await register.get(text(body.value['nominal_producer_uscc']))
    const of = nameAsked('producer', producer, text(body.value['nominal_producer']), '/nominal_producer')
    if (of !== null) questions.push(of)
  }

  const known = enterprise ?? filling.known
  // Products of another enterprise say nothing about this record.
  if (known !== undefined && asked?.flag === undefined) {
    const products = (await kept.read('/api/v1/products'))?.body.items ?? []
    const names = new Map(products.map(({ code, name: of }) => [code as string, of]))
    const product = productAsked(known.product_codes, filling.productCode, names)
    if (product !== null) questions.push(product)
  }

  const forms = await kept.read('/api/v1/forms')
  const kinds = Object.fromEntries([...(forms?.body.items ?? []), form.definition].map(({ code, kind }) => [code, kind]))
  const checks = { enterprise, waiting: outbox.list(), sent: outbox.sent() }
  const [same] = duplicatesOf(filling.draft.value?.id ?? '', body.value, kinds, checks)
  if (same !== undefined) {
    const sent = outbox.sent().find((one) => one.id === same.id)
    const who = { waiting: '在本机待发送', sent: sent ? `本机 ${clockTime(sent.sentAt)} 已提交` : '本机已提交', register: same.office ?? '' }
    questions.push({
      key: 'duplicate',
      text: `这家企业今天已有一条${form.definition.title}（${who[same.where]}）。请先查看；确需再报，请点“仍然提交”。`,
      ...{ flag: 'confirm_duplicate', yes: '仍然提交', record: { id: same.id, isSent: same.where !== 'waiting' } },
    })
  }

  const until = text(body.value['licence_valid_to'])
  if (until !== '' && until < chinaToday() && filling.plan.value.byPointer.has('/licence_valid_to')) {
    questions.push({ key: 'licence', text: `许可证有效期至 ${until}，已经过期。请核对执照和证书；确已过期，请在表中记为问题。` })
  }
  if (enterprise === undefined && filling.known !== undefined && (await register.updatedAt()) !== undefined) {
    questions.push({ key: 'region', text: `“${filling.known.name}”不在本辖区的名录中。请核对是否由本局办理；确由本局办理，可以继续。` })
  }
  return questions
}

/** Whether a name is that of its code: another one needs a yes, a former one is said. */
function nameAsked(
  key: 'name' | 'producer', enterprise: KeptEnterprise | undefined, name: string, pointer: string,
): Question | null {
  const differs = nameQuestion(enterprise, name)
  if (differs === null) return null
  const registered = { pointer, name: differs.registered }
  if (differs.isFormer) return { key, text: `“${name}”是曾用名，登记名称已改为“${registered.name}”。`, registered }
  const what = key === 'name' ? '信用代码登记的企业' : '标称生产者的信用代码登记的企业'
  const follows = key === 'name' ? '，此记录不会向该企业公布' : ''
  return {
    key,
    text: `${what}是“${registered.name}”，与填写的名称不同。请核对；确实无误，请点“仍按填写的提交”${follows}。`,
    ...{ flag: 'confirm_name', yes: '仍按填写的提交', registered },
  }
}

/**
 * The register has the enterprise under other products (the server's warning `product_not_registered`). Said before the
 * form is filled in; it needs no answer, since an enterprise may make more than the register knows.
 */
export function productAsked(
  registered: readonly string[], chosen: string, names: ReadonlyMap<string, string>,
): Question | null {
  if (registered.length === 0 || chosen === '' || registered.includes(chosen)) return null
  const name = (code: string) => names.get(code) ?? code
  const theirs = registered.map(name).join('、')
  return {
    key: 'product',
    text: `名录中该企业的产品是${theirs}，不是${name(chosen)}。请核对所选产品；要换产品，请回到“信息录入”上方更换。确实是${name(chosen)}，可以继续。`,
  }
}

/** Those that still need a yes. */
export function unanswered(questions: readonly Question[], filling: Filling): Question[] {
  return questions.filter(({ flag }) => flag !== undefined && filling.body.value[flag] !== true)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
