import type { Api } from '../api/client'
import type { Attachments } from '../attachments/attachments'
import { type Body, type Draft, draftKey, filesIn, type RecordType } from '../drafts/draft'
import { type Drafts, recordPath } from '../drafts/drafts'
import { newId } from '../ids'
import { Listeners } from '../listeners'
import type { Json, Platform } from '../platform'
import type { FormBody } from '../forms'
import type { Session } from '../session/session'
import { type Call, type Entry, type EntryType, type SentEntry } from './entry'
import { Queue } from './queue'
import { lastSuccessKey, Runner } from './runner'
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
  private readonly listeners = new Listeners<OutboxState>()
  private readonly runner: Runner
  private stops: (() => void)[] = []
  private telling = false
  private untold = false

  constructor(
    private readonly platform: Platform,
    api: Api,
    private readonly session: Session,
    private readonly attachments: Attachments,
    private readonly drafts: Drafts,
    private readonly scope: string,
  ) {
    this.queue = new Queue(platform, scope)
    const sender = new Sender(platform, api, session, attachments, this.queue, scope)
    this.runner = new Runner(platform, this.queue, sender, scope, () => void this.tell())
  }

  /** Finishes what a crash left, and sends from now on by itself. */
  async start(): Promise<void> {
    await this.queue.recover()
    this.runner.start()
    this.stops = [
      this.platform.network.watch((online) => {
        if (online) this.runner.wake()
        else void this.tell()
      }),
      this.session.watch((event) => {
        if (event === 'signed-in') this.runner.wake()
        else void this.tell()
      }),
      this.platform.store.watch((keys) => {
        if (keys.some((key) => key.startsWith(this.scope))) void this.queue.reload().then(() => this.tell())
      }),
    ]
    this.runner.wake()
  }

  /** To be called when this person signs out, or the app goes away; a step that is under way ends. */
  async stop(): Promise<void> {
    this.stops.forEach((stop) => stop())
    this.stops = []
    await this.runner.stop()
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
      if (draft === undefined) return this.submittedBefore(draftId)
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
    this.runner.wake()
    return entry
  }

  /** Lets any other write wait its turn. Rejects with `StorageFull`. */
  async add(write: NewEntry): Promise<Entry> {
    const entry = await this.queue.locked(() => this.queue.add((key) => this.blank(key, write)))
    this.runner.wake()
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

  /**
   * Takes a submission back as a draft of its own, under a new id (另存为新的记录): the former record is taken, submitted or
   * deleted by somebody else, and what was filled in here shall not be lost. Undefined as for `edit`.
   */
  async saveAsNew(key: string): Promise<Draft | undefined> {
    const id = newId(this.platform)
    let draft: Draft | undefined
    await this.queue.remove(
      key,
      (entry) => entry.draft !== null && !entry.asked,
      (entry) => {
        const now = this.platform.clock.now()
        const fresh = { server: null, unanswered: null, problem: null, refused: null, conflict: null, takenBackFrom: null }
        draft = { ...entry.draft!, ...fresh, id, createdAt: now, changedAt: now }
        return [[draftKey(this.scope, id), draft as unknown as Json]]
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
    return this.runner.now()
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
          ? this.runner.pausedBy
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
      sending: this.runner.sending,
      pausedBy: waiting === 0 ? null : pausedBy,
      nextTryAt: waiting === 0 ? null : this.runner.nextTryAt,
      others: foreign.filter((key) => /^u\/[^/]+\/out\//.test(key)).length,
    }
  }

  /** Called with the state now and whenever it changes. Returns how to stop. */
  watch(listener: (state: OutboxState) => void): () => void {
    void this.state().then(listener)
    return this.listeners.add(listener)
  }

  /** Another tab was first. */
  private async submittedBefore(id: string): Promise<Entry> {
    await this.queue.readAll()
    const waiting = this.queue.entries.find((entry) => entry.id === id && entry.type === 'submission')
    if (waiting === undefined) throw new Error(`no draft ${id}`)
    return waiting
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
    if (entry !== undefined) this.runner.wake()
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

  /** One state after the other, and none that nobody looks at: with thousands of entries it takes a while to count. */
  private async tell(): Promise<void> {
    this.untold = true
    if (this.telling) return
    this.telling = true
    try {
      while (this.untold && this.listeners.isAnyone) {
        this.untold = false
        this.listeners.tell(await this.state())
      }
    } finally {
      this.telling = false
    }
  }
}

const BESIDE_FORM = [
  'kind',
  'product_code',
  'form_version',
  'photos',
  'signatures',
  'confirm_duplicate',
  'confirm_name',
]

function besideForm(body: Body): Body {
  return Object.fromEntries(BESIDE_FORM.filter((name) => name in body).map((name) => [name, body[name]]))
}
