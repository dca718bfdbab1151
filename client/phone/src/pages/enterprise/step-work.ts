/** What a step says by a form and documents of its own: kept on this phone as it is typed, until the step is taken. */
import {
  bodyOfStep, type Fault, faultsOfStep, type Form, type FormBody, formOfStep, type Json, lackingPapers, type Plan, planForm,
  refusedAt, setAnswer, type StepSaid,
} from '@gongpin/core'
import { reactive, ref, shallowRef } from 'vue'

import { chinaToday } from '@gongpin/core/speech'
import type { Desk } from '@/desk'
import type { Paper, Papers, Upload } from './papers'
import type { Work } from './work'
import type { Step } from '@gongpin/core/speech'

interface Kept {
  body: FormBody
  papers: Paper[]
  comment: string
}

/** Whether a step has a page of its own. */
export function hasOwnPage(step: Step): boolean {
  return step.form !== null || step.documents.length > 0
}

export class StepWork implements Papers {
  readonly form: Form
  readonly body = shallowRef<FormBody>({})
  readonly plan
  readonly papers = ref<Paper[]>([])
  readonly uploads = reactive<Record<string, Upload>>({})
  readonly comment = ref('')
  /** Of the last check; places as in the form, `/documents`, `/comment`. */
  readonly faults = shallowRef<readonly Fault[]>([])

  constructor(
    readonly work: Work,
    readonly step: Step,
  ) {
    this.form = formOfStep(step)
    this.plan = shallowRef<Plan>(planForm(this.form, {}))
  }

  get desk(): Desk {
    return this.work.desk
  }

  takes(): boolean {
    return true
  }

  change(pointer: string, value: unknown): void {
    this.show(setAnswer(this.body.value, pointer, value))
    this.changed()
  }

  say(comment: string): void {
    this.comment.value = comment
    this.changed()
  }

  attach(paper: Paper): void {
    this.papers.value = [...this.papers.value, paper]
    this.changed()
  }

  detach(fileId: string): void {
    this.papers.value = this.papers.value.filter((one) => one.file_id !== fileId)
    delete this.uploads[fileId]
    this.changed()
  }

  /** Categories that are demanded and empty. */
  lacks(): string[] {
    return lackingPapers(this.step, this.papers.value, this.plan.value.problemsFound).map((one) => one.category)
  }

  /** All that is missing or wrong, at once; empty: the step can be taken. */
  check(): readonly Fault[] {
    this.faults.value = faultsOfStep(this.step, this.form, this.told, chinaToday())
    return this.faults.value
  }

  /** What the server refused, at its places. */
  refused(faults: readonly Fault[]): void {
    this.faults.value = refusedAt(faults)
  }

  /** What is sent with the step. */
  get said(): ReturnType<typeof bodyOfStep> {
    return bodyOfStep(this.step, this.form, this.told, chinaToday())
  }

  private get told(): StepSaid {
    return { body: this.body.value, papers: this.papers.value, comment: this.comment.value }
  }

  async restore(): Promise<void> {
    const { platform } = this.desk
    const kept = (await platform.store.get(this.key())) as unknown as Kept | undefined
    if (!kept) return
    this.papers.value = kept.papers
    this.comment.value = kept.comment
    this.show(kept.body)
  }

  /** Keeps it on this phone; without room for it, it is there as long as the page is. */
  async save(): Promise<void> {
    const { platform } = this.desk
    const kept: Kept = { body: this.body.value, papers: this.papers.value, comment: this.comment.value }
    await platform.store.write([[this.key(), JSON.parse(JSON.stringify(kept)) as Json]]).catch(() => undefined)
  }

  async forget(): Promise<void> {
    const { platform } = this.desk
    await platform.store.write([[this.key(), undefined]])
    opened.delete(this.key())
  }

  private show(body: FormBody): void {
    this.body.value = body
    this.plan.value = planForm(this.form, body, { previous: this.plan.value })
  }

  private changed(): void {
    if (this.faults.value.length > 0) this.check()
    void this.save()
  }

  key(): string {
    return keyOf(this.work, this.step.action)
  }
}

const opened = new Map<string, StepWork>()

function keyOf(work: Work, action: string): string {
  return `filings/${work.desk.owner}/${work.filing.value.id}/steps/${action}`
}

/** A step of a filing as it is kept on this phone, shared by the pages of its rows; undefined where it is not offered now. */
export async function openStep(work: Work, action: string): Promise<StepWork | undefined> {
  const { status, actions } = work.filing.value
  const step = work.kind.steps.find((one) => one.action === action && one.from === status)
  if (!step || !actions.includes(step.action)) return undefined
  const known = opened.get(keyOf(work, action))
  if (known && known.work === work) return known
  const made = new StepWork(work, step)
  await made.restore()
  opened.set(made.key(), made)
  return made
}
