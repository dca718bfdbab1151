/** One record that is being filled in: its body, what the screens show of it, and its draft on the phone. */
import {
  answerAt, appeared, type Body, compileForm, type Draft, type Fault, faultsAt, type Form, type FormBody, type FormDefinition,
  isBackedUp, type Plan, planForm, type RecordType, setAnswer, StorageFull, validate, type Workplace,
} from '@gongpin/core'
import { computed, ref, shallowRef } from 'vue'

import { dictionaryOf } from '@/components/fields/context'
import { chinaToday } from '@gongpin/core/speech'
import { afterFrame } from '@/platform/frame'
import { session } from '@/session'
import { correspondenceFaults } from './correspondence'
import { counted, headerSections } from './header'
import type { Last } from './last-visit'
import type { Known } from './presets'

/** Keys of a record that are no answers of its form. */
const BESIDE = ['kind', 'product_code', 'form_version', 'version', 'reason', 'confirm_duplicate', 'confirm_name']
const FILES_BESIDE = ['photos', 'signatures']

export type Saved =
  /** On this phone, and on the server; milliseconds since 1970. */
  { where: 'phone' | 'server'; at: number } | { where: 'nowhere'; at: 0 } | null

export class Filling {
  readonly form: Form
  readonly header: ReadonlySet<string>
  readonly body
  readonly plan
  readonly saved = ref<Saved>(null)
  readonly draft = shallowRef<Draft | null>(null)
  /** Faults of the last check (去核对) that still hold. */
  readonly faults = shallowRef<readonly Fault[]>([])
  /** Faults of fields that were left, beside the others. */
  readonly left = shallowRef<readonly Fault[]>([])
  readonly last = shallowRef<Last | null>(null)
  /** The enterprise as it was chosen on the start page. */
  known: Known | undefined
  /** Where a page that is opened next shall begin. */
  jumpTo: string | null = null
  /** What came along from an older version of the form (表格已更新). */
  carried: { carried: number; open: number } | null = null
  readonly count = computed(() => counted(this.plan.value, this.header))
  readonly allFaults = computed(() => [...this.faults.value, ...this.left.value])

  private edits: ((body: Body) => Body)[] = []
  private writing: Promise<void> | null = null
  private readonly stop: () => void

  constructor(
    readonly workplace: Workplace,
    definition: FormDefinition,
    readonly recordType: RecordType,
    body: Body,
    draft: Draft | null,
  ) {
    this.form = compileForm(definition)
    this.header = headerSections(this.form)
    this.body = shallowRef<Body>(body)
    this.plan = shallowRef<Plan>(this.planned(body))
    if (draft) this.tell(draft)
    this.stop = workplace.drafts.watch((changed) => changed.id === this.draft.value?.id && this.tell(changed))
  }

  close(): void {
    this.stop()
  }

  /** The answers alone. */
  get answers(): FormBody {
    const beside = [...BESIDE, ...FILES_BESIDE.filter((name) => !this.form.byName.has(name))]
    return Object.fromEntries(Object.entries(this.body.value).filter(([name]) => !beside.includes(name)))
  }

  get productCode(): string {
    return String(this.body.value['product_code'] ?? '')
  }

  get organisation(): string {
    return String(this.body.value['org_name'] ?? '')
  }

  /**
   * Takes an answer: shown with the next frame, and right behind it on its way to the disk. Answers how many items
   * appeared, and whether the item is a problem now.
   */
  change(pointer: string, value: unknown): { added: number; problem: boolean } {
    const before = this.plan.value
    const set = (body: Body) => setAnswer(body, pointer, value)
    this.body.value = set(this.body.value)
    this.plan.value = this.planned(this.body.value)
    if (this.left.value.length > 0) this.left.value = this.left.value.filter((one) => faultsAt([one], pointer).length === 0)
    if (this.faults.value.length > 0) this.recheck()
    this.edits.push(set)
    afterFrame(() => void this.write())
    const problem = this.plan.value.byPointer.get(pointer)?.problem === true
    return { added: appeared(before, this.plan.value).length, problem }
  }

  /** A field was left: what is wrong with what stands in it is said, not what is missing. */
  leave(pointer: string): void {
    if (answerAt(this.answers, pointer) === undefined) return
    const { faults } = validate(this.form, this.answers, 'submit', chinaToday())
    const found = faultsAt(faults, pointer).filter((one) => one.code !== 'required')
    const known = faultsAt(this.faults.value, pointer)
    const others = this.left.value.filter((one) => faultsAt([one], pointer).length === 0)
    if (found.length > 0 || others.length < this.left.value.length) this.left.value = known.length > 0 ? others : [...others, ...found]
  }

  /** 去核对: all faults at once. */
  async check(): Promise<readonly Fault[]> {
    this.left.value = []
    this.faults.value = await this.found()
    return this.faults.value
  }

  /** The draft, made now where nothing was stored yet. Rejects with `StorageFull`. */
  async ensure(): Promise<Draft> {
    if (this.draft.value === null) {
      this.tell(await this.workplace.drafts.create(this.recordType, this.body.value, this.count.value))
    }
    await this.flushed()
    return this.draft.value!
  }

  /** Everything that was typed is on the disk. Rejects with `StorageFull`. */
  async flushed(): Promise<void> {
    while (this.writing !== null || this.edits.length > 0) {
      if (this.writing === null) await this.write()
      else await this.writing
      if (this.saved.value?.where === 'nowhere') throw new StorageFull()
    }
  }

  /** Reads the draft anew: another tab or page may have changed it. False where it is gone. */
  async refresh(): Promise<boolean> {
    const id = this.draft.value?.id
    if (id === undefined) return true
    await this.flushed().catch(() => undefined)
    const draft = await this.workplace.drafts.get(id)
    if (draft === undefined) return false
    this.tell(draft)
    this.adopt(draft.body)
    return true
  }

  /** Puts the record into the outbox as it is sent: without hidden answers. Answers the key of the entry. */
  async submit(): Promise<string> {
    const draft = await this.ensure()
    const { values } = validate(this.form, this.answers, 'submit', chinaToday())
    // Without what only Vue or the engine adds: the body is kept as JSON.
    const sent = JSON.parse(JSON.stringify(values)) as Body
    return (await this.workplace.outbox.submit(draft.id, { title: this.organisation || null, values: sent })).key
  }

  /** Names of what can be chosen from dictionaries, by id; without those that cannot be had now. */
  async names(): Promise<Map<string, string>> {
    const { dictionary } = this.workplace
    const asked = this.form.items.flatMap((item) => [item, ...item.inner.values()]).map(({ definition }) => dictionaryOf(definition))
    const lists = await Promise.all(
      [...new Set(asked)].map(async (name) => {
        if (name === undefined) return []
        return dictionary.entries(name, this.productCode).then(({ body }) => body, () => [])
      }),
    )
    return new Map(lists.flat().map((one) => [one.id, one.name]))
  }

  private adopt(body: Body): void {
    if (JSON.stringify(body) === JSON.stringify(this.body.value)) return
    this.body.value = body
    this.plan.value = this.planned(body)
  }

  private planned(body: Body): Plan {
    const previous = this.plan?.value
    return planForm(this.form, body, { roles: session.me?.roles ?? [], ...(previous ? { previous } : {}) })
  }

  private async found(): Promise<Fault[]> {
    const { faults, values } = validate(this.form, this.answers, 'submit', chinaToday())
    return [...faults, ...correspondenceFaults(this.form, values, await this.words())]
  }

  private async words() {
    if (!this.form.byName.has('products')) return []
    try {
      return (await this.workplace.dictionary.entries('items', this.productCode)).body
    } catch {
      // Without the list the server checks.
      return []
    }
  }

  private recheck(): void {
    void this.found().then((now) => {
      const holds = (one: Fault) => now.some(({ path, code }) => path === one.path && code === one.code)
      const still = this.faults.value.filter(holds)
      if (still.length < this.faults.value.length) this.faults.value = still
    })
  }

  /** Writes one after the other; what is typed meanwhile is written together. */
  private write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => (this.writing = null))
    return this.writing
  }

  private async writeAll(): Promise<void> {
    while (this.edits.length > 0) {
      const edits = this.edits
      this.edits = []
      try {
        if (this.draft.value === null) {
          this.tell(await this.workplace.drafts.create(this.recordType, this.body.value, this.count.value))
        } else {
          const apply = (body: Body) => edits.reduce((now, one) => one(now), body)
          await this.workplace.drafts.change(this.draft.value.id, apply, this.count.value)
        }
      } catch (error) {
        if (!(error instanceof StorageFull)) throw error
        // Kept for the next try: with the next answer, or when the page is left.
        this.edits = [...edits, ...this.edits]
        this.saved.value = { where: 'nowhere', at: 0 }
        return
      }
    }
  }

  private tell(draft: Draft): void {
    this.draft.value = draft
    const backedUp = isBackedUp(draft) ? draft.server : null
    this.saved.value = backedUp ? { where: 'server', at: backedUp.at } : { where: 'phone', at: draft.changedAt }
  }
}
