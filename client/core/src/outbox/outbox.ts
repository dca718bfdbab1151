import type { Api } from '../api/client'
import type { Attachments } from '../attachments/attachments'
import { type Body, type Draft, draftKey, filesIn, type RecordType } from '../drafts/draft'
import { type Drafts, recordPath } from '../drafts/drafts'
import { Listeners } from '../listeners'
import { type Json, type Platform, StorageFull } from '../platform'
import type { FormBody } from '../forms'
import type { Session } from '../session/session'
import { backoff } from './backoff'
import { type Call, type Entry, type EntryType, type SentEntry } from './entry'
import { Queue } from './queue'
import { Sender } from './sender'

/** What the 待发送 strip shows. */
export interface OutboxState {
  /** Entries that send themselves, and those that need the person. */
  waiting: number
  attention: number
  /** Photos and other files of both. */
  photos: { sent: number; total: number }
  /** When the oldest of both was submitted, and when the server last accepted one; milliseconds since 1970. */
  oldest: number | null
  lastSuccess: number | null
  sending: boolean
  /** Why nothing is sent although something waits. */
  pausedBy: 'offline' | 'sign-in' | 'no-answer' | null
  /** When it is tried again by itself. */
  nextTryAt: number | null
  /** Records of other people that wait on this phone. */
  others: number
}

/** A write that is to wait in the outbox without having been a draft. */
export interface NewEntry {
  type: Exclude<EntryType, 'submission'>
  /** What it is about; later ones about the same wait for earlier ones. */
  id: string
  recordType?: RecordType | null
  title?: string | null
  call: Call
}

/** The draft cannot be submitted before its conflict is settled (`Drafts.resolve`). */
export class UnsettledConflict extends Error {}

/**
 * The waiting writes of one person (待发送). They are sent one at a time and by one tab at a time, in their order,
 * photos first, until the server has accepted or refused them; a try without an answer is repeated in the same words.
 */
export class Outbox {
  private readonly queue: Queue
  private readonly sender: Sender
  private readonly listeners = new Listeners<OutboxState>()
  private sending = false
  private again = false
  private running: Promise<void> | undefined
  private pause: OutboxState['pausedBy'] = null
  private nextTryAt: number | null = null
  private failures = 0
  private stops: (() => void)[] = []
  private cancelTimer: () => void = () => {}

  constructor(
    private readonly platform: Platform,
    api: Api,
    private readonly session: Session,
    private readonly attachments: Attachments,
    private readonly drafts: Drafts,
    private readonly scope: string,
  ) {
    this.queue = new Queue(platform, scope)
    this.sender = new Sender(platform, api, session, attachments, this.queue, scope)
  }

  /** Finishes what a crash left, and sends from now on by itself. */
  async start(): Promise<void> {
    await this.queue.recover()
    this.stops = [
      this.platform.network.watch((online) => {
        if (online) this.wake()
        else void this.tell()
      }),
      this.session.watch((event) => {
        if (event === 'signed-in') this.wake()
        else void this.tell()
      }),
      this.platform.store.watch((keys) => {
        if (keys.some((key) => key.startsWith(this.scope))) void this.queue.reload().then(() => this.tell())
      }),
    ]
    this.wake()
  }

  /** To be called when this person signs out, or the app goes away; a step that is under way ends. */
  async stop(): Promise<void> {
    this.stops.forEach((stop) => stop())
    this.stops = []
    this.cancelTimer()
    await this.running
  }

  /** In the order of the screen: those that need attention first, then in the order of sending. */
  list(): Entry[] {
    const entries = this.queue.entries
    return [...entries.filter((one) => one.state === 'attention'), ...entries.filter((one) => one.state === 'waiting')]
  }

  /** Accepted in the last two days, the last one first. */
  sent(): SentEntry[] {
    return this.queue.sent
  }

  get(key: string): Entry | undefined {
    return this.queue.entries.find((entry) => entry.key === key)
  }

  /**
   * Submits a draft (提交): from now on it waits, and is sent as soon as there is a network. The same draft from another
   * tab is the same entry. `values`: what the form engine says is sent (`Checked.values`, without hidden answers); the
   * draft keeps the others, in case it comes back. Rejects with `StorageFull`, and with `UnsettledConflict`.
   */
  async submit(
    draftId: string,
    { title = null, values }: { title?: string | null; values?: FormBody } = {},
  ): Promise<Entry> {
    const files = new Set((await this.attachments.list()).map((file) => file.id))
    const entry = await this.queue.locked(async () => {
      const draft = await this.drafts.get(draftId)
      await this.queue.reload()
      const waiting = this.queue.entries.find((one) => one.id === draftId && one.type === 'submission')
      if (draft === undefined || waiting !== undefined) {
        if (waiting === undefined) throw new Error(`no draft ${draftId}`)
        return waiting
      }
      if (draft.conflict !== null) throw new UnsettledConflict()
      const body = values === undefined ? draft.body : { ...besideForm(draft.body), ...values }
      const version = draft.server === null ? {} : { version: draft.server.version }
      const path = `${recordPath(draft.recordType, draft.id)}/submission`
      const call: Call = { method: 'PUT', path, body: { ...body, ...version } }
      const more = { draft: { ...draft, problem: null }, before: draft.unanswered, files: filesIn(body, files) }
      return this.queue.add(
        (key) => ({
          ...this.blank(key, { type: 'other', id: draft.id, recordType: draft.recordType, title, call }),
          ...more,
          type: 'submission',
        }),
        [[draftKey(this.scope, draft.id), undefined]],
      )
    })
    this.wake()
    return entry
  }

  /** Lets any other write wait its turn. Rejects with `StorageFull`. */
  async add(write: NewEntry): Promise<Entry> {
    const entry = await this.queue.locked(() => this.queue.add((key) => this.blank(key, write)))
    this.wake()
    return entry
  }

  /** Answers the question of the server with yes (仍然提交, 仍按填写的提交) and sends it again. */
  confirm(key: string, what: 'confirm_duplicate' | 'confirm_name'): Promise<Entry | undefined> {
    return this.sendAgain(key, (call) => ({ ...call, body: { ...call.body, [what]: true } }))
  }

  /** Sends an entry that needs attention once more, as it is or with another body. */
  retry(key: string, body?: Body): Promise<Entry | undefined> {
    return this.sendAgain(key, (call) => (body === undefined ? call : { ...call, body }))
  }

  /**
   * Takes a submission back to the drafts, to be edited; its faults stand in `Draft.problem`. Undefined where that is not
   * possible: it was no draft, it is gone, or it was sent and its answer is not known yet (`Entry.asked`).
   */
  async edit(key: string): Promise<Draft | undefined> {
    let draft: Draft | undefined
    await this.queue.remove(
      key,
      (entry) => entry.draft !== null && !entry.asked,
      (entry) => {
        draft = { ...entry.draft!, unanswered: entry.before, problem: entry.problem, takenBackFrom: key }
        draft.changedAt = this.platform.clock.now()
        return [[draftKey(this.scope, entry.id), draft as unknown as Json]]
      },
    )
    void this.tell()
    return draft
  }

  /** Removes an entry with its files, after the person has said so; false where it was sent and the answer is open. */
  async discard(key: string): Promise<boolean> {
    const removed = await this.queue.remove(key, (entry) => !entry.asked)
    if (removed !== undefined) await this.attachments.remove(removed.files)
    void this.tell()
    return removed !== undefined
  }

  /** Tries now, whatever the backoff says (立即发送). Resolves when nothing more can be sent for now. */
  sendNow(): Promise<void> {
    this.failures = 0
    this.nextTryAt = null
    return this.run(true)
  }

  async state(): Promise<OutboxState> {
    const entries = this.queue.entries
    const files = entries.flatMap((entry) => entry.files)
    const kept = files.length === 0 ? [] : await this.attachments.list()
    const here = new Set(files)
    const foreign = (await this.platform.store.keys('u/')).filter((key) => !key.startsWith(this.scope))
    const lastSuccess = await this.platform.store.get(lastSuccessKey(this.scope))
    const pausedBy =
      this.session.tokenFor(this.scope) === undefined
        ? 'sign-in'
        : this.platform.network.online()
          ? this.pause
          : 'offline'
    const waiting = entries.filter((entry) => entry.state === 'waiting').length
    return {
      waiting,
      attention: entries.length - waiting,
      photos: {
        sent: kept.filter((file) => here.has(file.id) && file.uploadedAt !== null).length,
        total: files.length,
      },
      oldest: entries.length === 0 ? null : Math.min(...entries.map((entry) => entry.createdAt)),
      lastSuccess: typeof lastSuccess === 'number' ? lastSuccess : null,
      sending: this.sending,
      pausedBy: waiting === 0 ? null : pausedBy,
      nextTryAt: waiting === 0 ? null : this.nextTryAt,
      others: foreign.filter((key) => /^u\/[^/]+\/out\//.test(key)).length,
    }
  }

  /** Called with the state now and whenever it changes. Returns how to stop. */
  watch(listener: (state: OutboxState) => void): () => void {
    void this.state().then(listener)
    return this.listeners.add(listener)
  }

  private async sendAgain(key: string, edit: (call: Call) => Call): Promise<Entry | undefined> {
    const entry = await this.queue.update(key, (now) =>
      now.state === 'attention'
        ? {
            ...now,
            call: edit(now.call),
            state: 'waiting',
            problem: null,
            attempts: 0,
            nextAt: 0,
            filesSentAgain: false,
          }
        : undefined,
    )
    if (entry !== undefined) this.wake()
    return entry
  }

  private blank(key: string, { type, id, recordType = null, title = null, call }: NewEntry): Entry {
    return {
      ...{ key, id, type, recordType, title, call, before: null, files: [], draft: null, state: 'waiting' },
      ...{
        createdAt: this.platform.clock.now(),
        attempts: 0,
        nextAt: 0,
        asked: false,
        filesSentAgain: false,
        problem: null,
      },
    }
  }

  /** Something has changed: there is something to send, or a network, or a token. */
  private wake(): void {
    this.failures = 0
    this.nextTryAt = null
    void this.run(false)
    void this.tell()
  }

  private run(forced: boolean): Promise<void> {
    if (this.running !== undefined) {
      this.again = true
      return this.running
    }
    this.running = this.platform.locks
      .exclusively(`${this.scope}send`, () => this.sendAll(forced))
      // A store that fails: nothing is lost, it is tried again like everything else.
      .catch(() => this.paused('no-answer', undefined))
      .finally(() => {
        this.running = undefined
        this.sending = false
        this.schedule()
        void this.tell()
      })
    return this.running
  }

  private async sendAll(forced: boolean): Promise<void> {
    await this.queue.reload()
    do {
      this.again = false
      const passed = new Set<string>()
      for (let entry = this.next(passed); entry !== undefined; entry = this.next(passed)) {
        if (!this.platform.network.online() && !forced) return void (this.pause = 'offline')
        this.sending = true
        void this.tell()
        const outcome = await this.sender.send(entry)
        if (outcome.done === 'pause') return this.paused(outcome.reason, outcome.seconds)
        this.pause = null
        this.failures = 0
        if (outcome.done === 'accepted') await this.noteSuccess()
        else if (outcome.done !== 'again') passed.add(entry.key)
        if (this.stops.length === 0 && !forced) return
      }
    } while (this.again)
  }

  /** The first entry that may be sent: nothing about the same, and no added word that it names, waits before it. */
  private next(passed: ReadonlySet<string>): Entry | undefined {
    const now = this.platform.clock.now()
    const open = new Set<string>()
    const words: string[] = []
    for (const entry of this.queue.entries) {
      const isFree = !open.has(entry.id) && (words.length === 0 || !names(entry, words))
      if (isFree && entry.state === 'waiting' && entry.nextAt <= now && !passed.has(entry.key)) return entry
      open.add(entry.id)
      if (entry.type === 'dictionary') words.push(entry.id)
    }
    return undefined
  }

  private paused(reason: 'sign-in' | 'no-answer', seconds: number | undefined): void {
    this.pause = reason
    if (reason === 'sign-in') return
    this.failures += 1
    const wait = backoff(this.failures, this.platform.randomBytes(1)[0]! / 256)
    this.nextTryAt = this.platform.clock.now() + Math.max(wait, (seconds ?? 0) * 1000)
  }

  private schedule(): void {
    this.cancelTimer()
    if (this.stops.length === 0) return
    const waiting = this.queue.entries.filter((entry) => entry.state === 'waiting' && entry.nextAt > 0)
    const times = [...(this.nextTryAt === null ? [] : [this.nextTryAt]), ...waiting.map((entry) => entry.nextAt)]
    if (times.length === 0) return
    const wait =
      Math.max(this.nextTryAt ?? Math.min(...times), this.platform.clock.now() + 1) - this.platform.clock.now()
    this.cancelTimer = this.platform.clock.after(wait, () => {
      this.nextTryAt = null
      void this.run(false)
    })
  }

  private async noteSuccess(): Promise<void> {
    const now = this.platform.clock.now()
    await this.platform.store.write([[lastSuccessKey(this.scope), now]]).catch((error: unknown) => {
      if (!(error instanceof StorageFull)) throw error
    })
  }

  private async tell(): Promise<void> {
    this.listeners.tell(await this.state())
  }
}

function lastSuccessKey(scope: string): string {
  return `${scope}last-success`
}

const BESIDE_FORM = ['kind', 'product_code', 'form_version', 'photos', 'signatures']

function besideForm(body: Body): Body {
  return Object.fromEntries(BESIDE_FORM.filter((name) => name in body).map((name) => [name, body[name]]))
}

function names(entry: Entry, words: readonly string[]): boolean {
  const text = JSON.stringify(entry.call.body)
  return words.some((word) => text.includes(word))
}
