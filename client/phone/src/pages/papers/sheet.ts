/**
 * What is filled in of a law enforcement paper (执法文书) on this phone: its draft, or the form of a step of it (送达回证).
 * Kept here as it is typed; a draft is saved at the server when a page of it is left and before each step.
 */
import {
  type AnswerOf, compileForm, type Fault, type Form, type FormBody, isWithin, type Json, type Plan, planForm, Problem, refusedAt, setAnswer,
  StorageFull, Unreachable, validate,
} from '@gongpin/core'
import { chinaToday } from '@gongpin/core/speech'
import { ref, shallowRef } from 'vue'

import { type Desk, ownDesk } from '@/desk'
import { uploadFilesIn } from '@/pages/enterprise/papers'
import type { Saved, Saving } from '@/saving'
import { sentenceOf } from '@/words'

export type Paper = AnswerOf<'/api/v1/enforcement-papers/{paper_id}', 'get'>
export type Step = Paper['steps'][number]

interface Kept {
  version: number
  body: FormBody
}

const NEEDLESS = /^\/data(?=\/)/

export class Sheet implements Saving {
  readonly paper
  readonly body
  readonly plan
  /** Of the last check; places as in the form. */
  readonly faults = shallowRef<readonly Fault[]>([])
  readonly saved = ref<Saved>({ state: 'clean', at: 0 })
  readonly refusal = ref<string | null>(null)
  readonly overtaken = ref(false)
  private dirty = false
  private turn: Promise<void> = Promise.resolve()

  constructor(
    paper: Paper,
    readonly form: Form,
    readonly desk: Desk,
    /** The step whose form it is; without one it is the draft of the paper. */
    readonly step?: Step,
  ) {
    this.paper = shallowRef(paper)
    this.body = shallowRef<FormBody>(step ? {} : (paper.data as FormBody))
    this.plan = shallowRef<Plan>(planForm(form, this.body.value))
  }

  get editable(): boolean {
    return this.step !== undefined || this.paper.value.actions.includes('save')
  }

  change(pointer: string, value: unknown): void {
    this.show(setAnswer(this.body.value, pointer, value))
    this.dirty = true
    if (this.faults.value.length > 0) this.check()
    void this.keep()
  }

  /** All that is missing or wrong, at once; empty: the step can be taken. */
  check(): readonly Fault[] {
    this.faults.value = validate(this.form, this.body.value, 'submit', chinaToday()).faults
    return this.faults.value
  }

  /** What the server refused, at its places. */
  refused(faults: readonly Fault[]): void {
    this.faults.value = refusedAt(faults)
  }

  faultsAt(pointer: string): Fault[] {
    return this.faults.value.filter((one) => isWithin(one.path, pointer))
  }

  /** What goes with the step: without what a condition hides. */
  get said(): FormBody {
    const { values } = validate(this.form, this.body.value, 'submit', chinaToday())
    const own = Object.entries(values).filter(([name]) => this.form.byName.has(name))
    return JSON.parse(JSON.stringify(Object.fromEntries(own))) as FormBody
  }

  /** The section that has a place, and the row there, of rows in rows the innermost. */
  placeOf(path: string): { section: string | undefined; row: string | undefined } {
    const section = this.plan.value.sections.find((one) => one.items.some((item) => isWithin(path, item.pointer)))
    const rows = [...this.plan.value.byPointer.values()].flatMap((one) => one.rows).map((one) => one.pointer)
    const around = rows.filter((one) => isWithin(path, one)).sort((one, other) => other.length - one.length)
    return { section: section?.code, row: around[0] }
  }

  /** As the server has it now. */
  take(paper: Paper): void {
    this.paper.value = paper
    this.dirty = false
    this.overtaken.value = false
    if (!this.step) this.show(paper.data as FormBody)
  }

  /** Saves a draft that is not saved yet; resolves when it is at the server, raises what kept it from there. */
  async save(): Promise<void> {
    const mine = this.turn.then(() => this.put())
    this.turn = mine.catch(() => undefined)
    return mine
  }

  /** Files of the form reach the server before the step that names them. */
  async upload(): Promise<void> {
    await uploadFilesIn(this.desk, this.body.value)
  }

  async settle(keepMine: boolean): Promise<void> {
    const paper = (await this.desk.api.get('/api/v1/enforcement-papers/{paper_id}', { path: { paper_id: this.paper.value.id } })).body
    this.overtaken.value = false
    if (keepMine) {
      this.paper.value = paper
      await this.save()
    } else {
      this.take(paper)
      await this.forget()
    }
  }

  async restore(): Promise<void> {
    const kept = (await this.desk.platform.store.get(this.key())) as unknown as Kept | undefined
    if (!kept || !this.editable) return
    this.dirty = true
    this.show(kept.body)
    this.overtaken.value = !this.step && kept.version !== this.paper.value.version
    if (!this.step && !this.overtaken.value) await this.save()
  }

  async forget(): Promise<void> {
    await this.desk.platform.store.write([[this.key(), undefined]])
    opened.delete(this.key())
  }

  private async put(): Promise<void> {
    if (this.step || !this.dirty || this.overtaken.value || !this.editable) return
    const { id, kind, version } = this.paper.value
    const body = this.body.value
    try {
      await this.upload()
      const sent = { kind, data: body, version } as never
      const answer = (await this.desk.api.put('/api/v1/enforcement-papers/{paper_id}', { path: { paper_id: id }, body: sent })).body
      this.refusal.value = null
      this.paper.value = answer
      // What was typed meanwhile is saved the next time.
      if (body !== this.body.value) return
      this.take(answer)
      this.saved.value = { state: 'server', at: Date.now() }
      await this.desk.platform.store.write([[this.key(), undefined]])
    } catch (error) {
      if (error instanceof Problem && error.code === 'stale_version') this.overtaken.value = true
      else if (error instanceof Problem) {
        this.refusal.value = error.errors[0]?.message ?? sentenceOf(error)
        this.faults.value = error.errors.map((one) => ({ ...one, path: one.path.replace(NEEDLESS, '') }))
      } else if (!(error instanceof Unreachable)) throw error
      throw error
    }
  }

  private async keep(): Promise<void> {
    const kept: Kept = { version: this.paper.value.version, body: this.body.value }
    try {
      await this.desk.platform.store.write([[this.key(), JSON.parse(JSON.stringify(kept)) as Json]])
      this.saved.value = { state: 'phone', at: Date.now() }
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error
      this.saved.value = { state: 'full', at: Date.now() }
    }
  }

  private show(body: FormBody): void {
    this.body.value = body
    this.plan.value = planForm(this.form, body, { previous: this.plan.value })
  }

  key(): string {
    return keyOf(this.desk, this.paper.value.id, this.step?.action)
  }
}

const opened = new Map<string, Sheet>()

function keyOf(desk: Desk, id: string, action: string | undefined): string {
  return `papers/${desk.owner}/${id}${action ? `/steps/${action}` : ''}`
}

/**
 * The paper as the server has it now, with what is kept of it on this phone; `action`: the form of that step, undefined
 * where the step is not offered now.
 */
export async function openSheet(id: string, action?: string): Promise<Sheet | undefined> {
  const desk = await ownDesk()
  const paper = (await desk.api.get('/api/v1/enforcement-papers/{paper_id}', { path: { paper_id: id } })).body
  const step = action === undefined ? undefined : paper.steps.find((one) => one.action === action && one.form !== null)
  if (action !== undefined && !step) return undefined
  const known = opened.get(keyOf(desk, id, action))
  if (known && known.paper.value.version === paper.version) {
    known.paper.value = paper
    return known
  }
  const { body: definition } = step?.form
    ? await desk.api.get('/api/v1/forms/{code}', { path: { code: step.form } })
    : await desk.api.get('/api/v1/forms/{code}/{version}', { path: { code: paper.form_code, version: paper.form_version } })
  const sheet = new Sheet(paper, compileForm(definition), desk, step)
  opened.set(sheet.key(), sheet)
  await sheet.restore().catch(() => undefined)
  return sheet
}

/** What another page of the paper has opened; undefined after a reload. */
export async function openedSheet(id: string, action?: string): Promise<Sheet | undefined> {
  return opened.get(keyOf(await ownDesk(), id, action)) ?? openSheet(id, action)
}
