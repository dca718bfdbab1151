/** Taking a step of a filing: it is saved and checked before it is sent, asked about where it undoes something. */
import { type FormBody, Problem } from '@gongpin/core'
import { ref, type Ref } from 'vue'

import { useActing } from '@/acting'
import { pageAddress } from '@/address'
import { announce } from '@/announce'
import { confirm } from '@/confirm'
import { goBack } from '@/navigation'
import { firstTry, forgetTries } from './first-tries'
import type { Paper } from './papers'
import { hasOwnPage } from './step-work'
import type { Work } from './work'
import { consequenceOf, type Step } from '@gongpin/core/speech'

/** What goes with a step: words, and the answers and documents of its own form. */
export interface Said {
  comment: string | null
  data?: FormBody
  documents?: readonly Paper[]
}

export function useSteps(work: Ref<Work | undefined>, reload: () => Promise<void>) {
  /** The step that waits for its opinion. */
  const asking = ref<Step | null>(null)
  const { busy, fault, problem, run } = useActing(async (error) => {
    // Somebody else moved it meanwhile: what stands now is shown, and why nothing was done.
    if (error instanceof Problem && error.status === 409) {
      await reload()
      return `${error.title}。已刷新，请核对后再办。`
    }
    return null
  })

  async function take(step: Step): Promise<void> {
    const here = work.value
    if (!here) return
    if (hasOwnPage(step)) {
      return void uni.navigateTo({ url: pageAddress('/pages/enterprise/step', { id: here.filing.value.id, action: step.action }) })
    }
    if (step.comment_required) return void (asking.value = step)
    if (step.sends) return send(here, step)
    const text = consequenceOf(here.kind, step, here.filing.value)
    if (text) {
      const danger = step.to === 'deleted'
      if (!(await confirm({ title: `${step.label}“${here.filing.value.title}”？`, text, yes: step.label, no: '保留', danger }))) return
    }
    await act(here, step)
  }

  async function send(here: Work, step: Step): Promise<void> {
    if (Object.values(here.uploads).some((one) => !one.fault)) {
      fault.value = '材料还在上传。请等上传完成后再提交。'
      return
    }
    const faults = await run(() => here.check(), '正在核对…')
    if (!faults || faults.length) return
    if (!(await act(here, step))) return
    const { id, sent } = here.filing.value
    uni.navigateTo({ url: pageAddress('/pages/enterprise/receipt', { id, sending: String(sent), fresh: 'yes' }) })
  }

  async function say(comment: string): Promise<void> {
    const [here, step] = [work.value, asking.value]
    if (!here || !step || !(await act(here, step, { comment }))) return
    asking.value = null
  }

  async function act(here: Work, step: Step, said: Said = { comment: null }): Promise<boolean> {
    const { api } = here.desk
    const { id, version } = here.filing.value
    const path = { filing_id: id, action: step.action } as never
    const tried = step.sends ? { first_tried_at: firstTry(id, version) } : {}
    const body = { version, ...said, due_on: null, ...tried } as never
    const filing = await run(async () => (await api.post('/api/v1/filings/{filing_id}/actions/{action}', { path, body })).body)
    if (!filing) return false
    if (step.sends) forgetTries(id)
    here.take(filing)
    announce(`${step.label}：${filing.status_label}`)
    if (filing.status === 'deleted') goBack()
    else await reload()
    return true
  }

  return { busy, fault, problem, asking, take, say, act, run }
}
