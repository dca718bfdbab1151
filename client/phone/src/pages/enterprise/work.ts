/**
 * The working copy of a filing on this phone, shared by its pages: each answer is kept at once, and saved at the server
 * a moment later; documents are uploaded meanwhile. What could not be saved is saved when it is opened again.
 */
import {
  compileForm, type Fault, type Form, type FormBody, isWithin, type Json, type Plan, planForm, Problem, propose, setAnswer, StorageFull,
  Unreachable, validate,
} from '@gongpin/core'
import { reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { chinaToday } from '@gongpin/core/speech'
import { type Desk, deskOf } from '@/desk'
import { isGuests } from '@/guest'
import type { Saved, Saving } from '@/saving'
import { session } from '@/session'
import { sentenceOf } from '@/words'
import { type Paper, type Papers, type Upload, uploadFilesIn } from './papers'
import type { Filing, Kind } from '@gongpin/core/speech'

interface Kept {
  version: number
  body: FormBody
  papers: Paper[]
}

const SAVE_AFTER = 1_200

/** One filing that is open on this phone. */
export class Work implements Papers, Saving {
  readonly filing: ShallowRef<Filing>
  readonly body: ShallowRef<FormBody>
  readonly plan: ShallowRef<Plan>
  readonly papers: Ref<Paper[]>
  /** By the id of the file. */
  readonly uploads = reactive<Record<string, Upload>>({})
  /** Faults of the last check; their places are pointers into the form's answers, or `/documents`. */
  readonly faults = shallowRef<Fault[]>([])
  readonly saved: Ref<Saved> = ref({ state: 'clean', at: 0 })
  /** Somebody saved it elsewhere meanwhile; what was typed here is kept until the person chooses. */
  readonly overtaken = ref(false)
  /** Why the last saving was refused. */
  readonly refusal = ref<string | null>(null)
  private dirty = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private turn: Promise<void> = Promise.resolve()

  constructor(
    filing: Filing,
    readonly kind: Kind,
    readonly form: Form,
    /** Of whoever fills it in. */
    readonly desk: Desk,
  ) {
    this.filing = shallowRef(filing)
    this.body = shallowRef(propose(form, filing.data as FormBody, desk.catalogues).body)
    this.plan = shallowRef(planForm(form, this.body.value, { words: desk.catalogues }))
    void this.fetchWords()
    this.papers = ref([...filing.documents])
  }

  get editable(): boolean {
    return this.filing.value.actions.includes('save')
  }

  /** Whether the office or the register says this, or it is locked now (`locks`), so that the caller cannot change it. */
  isFixed(pointer: string): boolean {
    const name = pointer.slice(1)
    return this.kind.fixed.includes(name) || this.filing.value.locks.includes(name)
  }

  /** Whether documents of a category may be put in and taken away now. */
  takes(category: string): boolean {
    return this.editable && !this.filing.value.locks.includes(`documents/${category}`)
  }

  /** The row that holds a place, of rows in rows the innermost; undefined where none does. */
  rowAt(path: string): string | undefined {
    const rows = [...this.plan.value.byPointer.values()].flatMap((one) => one.rows)
    const around = rows.filter((one) => isWithin(path, one.pointer)).map((one) => one.pointer)
    return around.sort((one, other) => other.length - one.length)[0]
  }

  change(pointer: string, value: unknown): void {
    this.show(setAnswer(this.body.value, pointer, value))
    void this.fetchWords()
    if (this.faults.value.length) this.recheck()
    this.touch()
  }

  attach(paper: Paper): void {
    this.papers.value = [...this.papers.value, paper]
    this.touch()
  }

  detach(fileId: string): void {
    this.papers.value = this.papers.value.filter((one) => one.file_id !== fileId)
    delete this.uploads[fileId]
    this.touch()
  }

  /** As the server has it now. */
  take(filing: Filing): void {
    this.filing.value = filing
    this.dirty = false
    this.overtaken.value = false
    this.papers.value = [...filing.documents]
    this.show(filing.data as FormBody)
  }

  /** What was kept on this phone and is not at the server yet; asks where the server's is newer. */
  async restore(): Promise<void> {
    const { platform } = this.desk
    const kept = (await platform.store.get(this.key())) as unknown as Kept | undefined
    if (!kept || !this.editable) return
    this.dirty = true
    this.papers.value = kept.papers
    this.show(kept.body)
    this.overtaken.value = kept.version !== this.filing.value.version
    if (!this.overtaken.value) await this.save()
  }

  /** Saves what is not saved yet; resolves when it is at the server, raises what kept it from there. */
  async save(): Promise<void> {
    clearTimeout(this.timer)
    const mine = this.turn.then(() => this.put())
    this.turn = mine.catch(() => undefined)
    return mine
  }

  /** The person's choice after `overtaken`: what was typed here replaces what was saved elsewhere, or is given up. */
  async settle(keepMine: boolean): Promise<void> {
    const { api } = this.desk
    const path = { filing_id: this.filing.value.id } as never
    const filing = (await api.get('/api/v1/filings/{filing_id}', { path })).body
    this.overtaken.value = false
    if (keepMine) {
      this.filing.value = filing
      await this.save()
    } else {
      this.take(filing)
      await this.forget()
    }
  }

  /** What sending would say: the form's faults at their places and the server's own; empty: it can be sent. */
  async check(): Promise<Fault[]> {
    await this.save()
    const { api } = this.desk
    const path = { filing_id: this.filing.value.id } as never
    const ask = async () => (await api.get('/api/v1/filings/{filing_id}/check', { path })).body.errors
    let errors = await ask()
    if (errors.some((one) => one.code === 'not_saved')) {
      // What the register filled in was never touched, so nothing here saved it: the person sends what they see.
      this.dirty = true
      await this.save()
      errors = await ask()
    }
    this.faults.value = errors.map((one) => ({ ...one, path: one.path.replace(/^\/data(?=\/)/, '') }))
    return this.faults.value
  }

  private recheck(): void {
    const now = validate(this.form, this.body.value, 'submit', chinaToday(), this.desk.catalogues).faults
    const others = this.faults.value.filter((one) => one.path.startsWith('/documents') || one.path === '/subject')
    this.faults.value = [...now, ...others]
  }

  private show(body: FormBody): void {
    this.body.value = propose(this.form, body, this.desk.catalogues).body
    this.plan.value = planForm(this.form, this.body.value, { previous: this.plan.value, words: this.desk.catalogues })
  }

  /** Rows and units that a dictionary says come when they are here; without a network the server fills them in. */
  private async fetchWords(): Promise<void> {
    if (this.editable && (await this.desk.catalogues.prepare(this.form, this.body.value))) this.show(this.body.value)
  }

  private touch(): void {
    this.dirty = true
    this.faults.value = this.faults.value.filter((one) => !one.path.startsWith('/documents') || this.lacks().length > 0)
    void this.keep()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.save().catch(() => undefined), SAVE_AFTER)
  }

  /** Titles of the documents that are demanded and not there. */
  lacks(): string[] {
    const needed = (required: string) => required === 'always' || (required === 'problems' && this.plan.value.problemsFound)
    return this.kind.documents
      .filter((one) => needed(one.required) && !this.papers.value.some((paper) => paper.category === one.category))
      .map((one) => one.category)
  }

  private async put(): Promise<void> {
    if (!this.dirty || this.overtaken.value || !this.editable) return
    const { api } = this.desk
    const [body, papers] = [this.body.value, this.papers.value]
    const path = { filing_id: this.filing.value.id } as never
    const sent = { data: body, documents: papers, version: this.filing.value.version } as never
    try {
      await uploadFilesIn(this.desk, body)
      const answer = (await api.put('/api/v1/filings/{filing_id}', { path, body: sent })).body
      this.filing.value = answer
      this.refusal.value = null
      if (body !== this.body.value || papers !== this.papers.value) return this.touch()
      this.dirty = false
      this.saved.value = { state: 'server', at: Date.now() }
      await this.forget()
    } catch (error) {
      if (error instanceof Problem && error.code === 'stale_version') this.overtaken.value = true
      else if (error instanceof Problem) this.refusal.value = error.errors[0]?.message ?? sentenceOf(error)
      else if (!(error instanceof Unreachable)) throw error
      throw error
    }
  }

  private async keep(): Promise<void> {
    const { platform } = this.desk
    const kept: Kept = { version: this.filing.value.version, body: this.body.value, papers: this.papers.value }
    try {
      await platform.store.write([[this.key(), JSON.parse(JSON.stringify(kept)) as Json]])
      this.saved.value = { state: 'phone', at: Date.now() }
    } catch (error) {
      if (!(error instanceof StorageFull)) throw error
      this.saved.value = { state: 'full', at: Date.now() }
    }
  }

  private async forget(): Promise<void> {
    const { platform } = this.desk
    await platform.store.write([[this.key(), undefined]])
  }

  private key(): string {
    return `filings/${this.desk.owner}/${this.filing.value.id}`
  }
}

const opened = new Map<string, Work>()

/** Another user of the same phone opens a copy of their own. */
function mine(id: string): string {
  return `${isGuests(id) ? 'guest' : (session.me?.id ?? '')}/${id}`
}

/** The filing as the server has it now, with what is kept of it on this phone. Raises what the calls raise. */
export async function openWork(id: string): Promise<Work> {
  const desk = await deskOf(id)
  const { api } = desk
  const filing = (await api.get('/api/v1/filings/{filing_id}', { path: { filing_id: id } as never })).body
  const known = opened.get(mine(id))
  if (known && known.filing.value.version === filing.version && known.filing.value.status === filing.status) {
    known.filing.value = filing
    return known
  }
  const kind = (await api.get('/api/v1/filing-kinds/{kind}', { path: { kind: filing.kind } as never })).body
  const { code, version } = filing.form
  const definition =
    kind.form.code === code && kind.form.version === version
      ? kind.form
      : (await api.get('/api/v1/forms/{code}/{version}', { path: { code, version } as never })).body
  const work = new Work(filing, kind, compileForm(definition), desk)
  opened.set(mine(id), work)
  await work.restore().catch(() => undefined)
  return work
}

/** The filing that another page of it has opened; undefined after a reload. */
export function openedWork(id: string): Work | undefined {
  return opened.get(mine(id))
}
