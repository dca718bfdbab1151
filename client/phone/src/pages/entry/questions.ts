/** What the server would ask of a record, asked on the spot: name, same check today, licence, region. */
import { duplicatesOf, nameQuestion } from '@gongpin/core'

import { clockTime, chinaToday } from '@/dates'
import type { Filling } from './filling'

export interface Question {
  key: 'name' | 'duplicate' | 'licence' | 'region'
  text: string
  /** The key of the record by which a yes is told to the server; without one it is a note that needs no answer. */
  flag?: 'confirm_name' | 'confirm_duplicate'
  /** Verb of the yes. */
  yes?: string
  /** The name in the register, to be taken instead. */
  registered?: string
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

  const registered = enterprise?.name ?? filling.known?.name
  const differs = enterprise !== undefined ? nameQuestion(enterprise, name) : null
  if (registered !== undefined && differs !== null) {
    questions.push(
      differs.isFormer
        ? { key: 'name', text: `“${name}”是曾用名，登记名称已改为“${registered}”。`, registered }
        : {
            key: 'name',
            text: `信用代码登记的企业是“${registered}”，与填写的名称不同。请核对；确实无误，请点“仍按填写的提交”，此记录不会向该企业公布。`,
            ...{ flag: 'confirm_name', yes: '仍按填写的提交', registered },
          },
    )
  }

  const forms = await kept.read('/api/v1/forms')
  const kinds = Object.fromEntries([...(forms?.body.items ?? []), form.definition].map(({ code, kind }) => [code, kind]))
  const known = { enterprise, waiting: outbox.list(), sent: outbox.sent() }
  const [same] = duplicatesOf(filling.draft.value?.id ?? '', body.value, kinds, known)
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
    questions.push({ key: 'licence', text: `许可证有效期至 ${until}，已经过期。请核对执照和证书；确已过期，请在检查中记为问题。` })
  }
  if (enterprise === undefined && filling.known !== undefined && (await register.updatedAt()) !== undefined) {
    questions.push({ key: 'region', text: `“${filling.known.name}”不在本辖区的名录中。请核对是否由本局检查；确实由本局检查，可以继续。` })
  }
  return questions
}

/** Those that still need a yes. */
export function unanswered(questions: readonly Question[], filling: Filling): Question[] {
  return questions.filter(({ flag }) => flag !== undefined && filling.body.value[flag] !== true)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
