/** Taking a step of a law enforcement paper: saved before, asked about where it says so, with words or a form of its own. */
import { Problem } from '@gongpin/core'
import { ref, type Ref } from 'vue'

import { useActing } from '@/acting'
import { pageAddress } from '@/address'
import { announce } from '@/announce'
import { confirm } from '@/confirm'
import { go, goBack } from '@/navigation'
import type { Sheet, Step } from './sheet'

export function usePaperSteps(sheet: Ref<Sheet | undefined>, reload: () => Promise<void>) {
  /** The step that waits for its words. */
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
    const here = sheet.value
    if (!here) return
    if (step.form) return go(pageAddress('/pages/papers/fill', { id: here.paper.value.id, action: step.action }))
    if (step.comment !== 'none') return void (asking.value = step)
    const question = { title: `${step.label}“${here.paper.value.title}”？`, text: step.hint ?? '', yes: step.label, no: '保留', danger: step.danger }
    if (step.asks && !(await confirm(question))) return
    await act(here, step)
  }

  async function say(comment: string): Promise<void> {
    const [here, step] = [sheet.value, asking.value]
    if (here && step && (await act(here, step, { comment: comment || null }))) asking.value = null
  }

  /** `said`: words, or the answers of the step's form. */
  async function act(here: Sheet, step: Step, said: { comment?: string | null; data?: unknown } = {}): Promise<boolean> {
    const path = { paper_id: here.paper.value.id, action: step.action }
    const done = await run(async () => {
      if (!step.danger) await here.save()
      const body = { version: here.paper.value.version, ...said } as never
      return (await here.desk.api.post('/api/v1/enforcement-papers/{paper_id}/actions/{action}', { path, body })).body
    })
    if (!done) {
      const refused = problem.value?.errors.filter(({ path: place }) => place.startsWith('/data')) ?? []
      if (refused.length) here.refused(refused)
      return false
    }
    here.faults.value = []
    here.take(done)
    announce(`${step.label}：${done.status_label}`)
    if (done.status === 'deleted') goBack()
    else await reload()
    return true
  }

  return { busy, fault, problem, asking, take, say, act, run }
}
