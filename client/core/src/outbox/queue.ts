import { type Draft, draftKey } from '../drafts/draft'
import { entriesLock } from '../drafts/drafts'
import { type Json, type Platform, StorageFull } from '../platform'
import { type Entry, outPrefix, type SentEntry, sentPrefix } from './entry'

const SENT_KEPT = 48 * 3_600_000
const SENT_MOST = 500

type Change = readonly [string, Json | undefined]

/** The waiting writes of one person on the disk, and in memory as they were read last. */
export class Queue {
  /** By key, in their order. */
  private readonly waiting = new Map<string, Entry>()
  private readonly accepted = new Map<string, SentEntry>()

  constructor(
    private readonly platform: Platform,
    private readonly scope: string,
  ) {}

  /** In the order in which they are sent. */
  get entries(): Entry[] {
    return [...this.waiting.values()]
  }

  /** Accepted by the server, the last one first. */
  get sent(): SentEntry[] {
    return [...this.accepted.values()].sort((one, other) => other.sentAt - one.sentAt)
  }

  /** Reads all anew; to be called when another tab has written. */
  reload(): Promise<void> {
    // Nothing is added between reading and remembering, or it would be forgotten until the next time.
    return this.locked(() => this.readAll())
  }

  /** The same for who holds the lock already (`locked`). */
  async readAll(): Promise<void> {
    const { store } = this.platform
    const [waiting, accepted] = [await store.list(outPrefix(this.scope)), await store.list(sentPrefix(this.scope))]
    this.waiting.clear()
    this.accepted.clear()
    for (const [, entry] of waiting) this.waiting.set((entry as unknown as Entry).key, entry as unknown as Entry)
    for (const [, entry] of accepted)
      this.accepted.set((entry as unknown as SentEntry).key, entry as unknown as SentEntry)
  }

  /**
   * Finishes what a crash left half done where the store cannot write several keys at once: a record stands both as
   * accepted and as waiting, or both as a draft and as waiting. Also forgets what was sent long ago.
   */
  async recover(): Promise<void> {
    await this.locked(async () => {
      await this.readAll()
      const changes: Change[] = []
      // Of thousands of entries hardly one is a draft as well: only that one is read.
      const drafts = new Set(await this.platform.store.keys(draftKey(this.scope, '')))
      for (const entry of this.entries) {
        const key = draftKey(this.scope, entry.id)
        const draft = drafts.has(key) ? ((await this.platform.store.get(key)) as unknown as Draft) : undefined
        const isTakenBack = draft?.takenBackFrom === entry.key
        if (isTakenBack || this.accepted.has(entry.key)) changes.push([outPrefix(this.scope) + entry.key, undefined])
        if (draft !== undefined && !isTakenBack) changes.push([key, undefined])
      }
      const now = this.platform.clock.now()
      this.sent.forEach(({ key, sentAt }, place) => {
        if (place >= SENT_MOST || sentAt + SENT_KEPT < now) changes.push([sentPrefix(this.scope) + key, undefined])
      })
      if (changes.length === 0) return
      await this.platform.store.write(changes)
      await this.readAll()
    })
  }

  /** Adds an entry behind all others, together with `also`. Rejects with `StorageFull`. */
  async add(make: (key: string) => Entry, also: readonly Change[] = []): Promise<Entry> {
    const entry = make(await this.nextKey())
    await this.platform.store.write([this.change(entry), ...also])
    this.keep(entry)
    return entry
  }

  /** Reads, edits and stores an entry as one step; undefined where it is gone, or `edit` answers undefined. */
  update(key: string, edit: (entry: Entry) => Entry | undefined): Promise<Entry | undefined> {
    return this.locked(async () => {
      const before = await this.read(key)
      if (before === undefined) {
        this.waiting.delete(key)
        return undefined
      }
      const after = edit(before)
      if (after === undefined) return undefined
      try {
        await this.platform.store.write([this.change(after)])
      } catch (error) {
        // On a full phone the sending goes on, because it makes room; a note less costs a repetition at the most.
        if (!(error instanceof StorageFull)) throw error
      }
      this.keep(after)
      return after
    })
  }

  /** The server has accepted an entry; `follow` changes those about the same that wait behind it. */
  accept(sent: SentEntry, follow: (entry: Entry) => Entry): Promise<void> {
    return this.locked(async () => {
      const followers: Entry[] = []
      for (const { key } of this.entries.filter((entry) => entry.id === sent.id && entry.key > sent.key)) {
        const entry = await this.read(key)
        if (entry !== undefined) followers.push(follow(entry))
      }
      const gone: Change[] = [
        [outPrefix(this.scope) + sent.key, undefined],
        [draftKey(this.scope, sent.id), undefined],
      ]
      try {
        // In this order: before the entry is gone, it stands as accepted, and those behind it know its version.
        const kept: Change = [sentPrefix(this.scope) + sent.key, sent as unknown as Json]
        await this.platform.store.write([kept, ...followers.map((one) => this.change(one)), ...gone])
      } catch (error) {
        if (!(error instanceof StorageFull)) throw error
        await this.platform.store.write([...followers.map((one) => this.change(one)), ...gone])
      }
      this.waiting.delete(sent.key)
      this.accepted.set(sent.key, sent)
      followers.forEach((one) => this.keep(one))
    })
  }

  /** Removes an entry where it `may` be; what `also` answers is stored before. Undefined where it was not removed. */
  remove(
    key: string,
    may: (entry: Entry) => boolean,
    also: (entry: Entry) => Change[] = () => [],
  ): Promise<Entry | undefined> {
    return this.locked(async () => {
      const entry = await this.read(key)
      if (entry === undefined || !may(entry)) return undefined
      await this.platform.store.write([...also(entry), [outPrefix(this.scope) + key, undefined]])
      this.waiting.delete(key)
      return entry
    })
  }

  /** One at a time over drafts and waiting entries of this person. */
  locked<T>(work: () => Promise<T>): Promise<T> {
    return this.platform.locks.exclusively(entriesLock(this.scope), work)
  }

  /** Behind all keys that this phone still knows, whatever its clock says, and never one that it has forgotten. */
  private async nextKey(): Promise<string> {
    const { store, clock, randomBytes } = this.platform
    const known = [...(await store.keys(outPrefix(this.scope))), ...(await store.keys(sentPrefix(this.scope)))]
    const last = Math.max(0, ...known.map((key) => parseInt(key.slice(key.lastIndexOf('/') + 1), 10)))
    const chance = Array.from(randomBytes(4), (byte) => byte.toString(16).padStart(2, '0')).join('')
    return `${String(Math.max(clock.now(), last + 1)).padStart(15, '0')}-${chance}`
  }

  private async read(key: string): Promise<Entry | undefined> {
    return (await this.platform.store.get(outPrefix(this.scope) + key)) as unknown as Entry | undefined
  }

  private keep(entry: Entry): void {
    const added = !this.waiting.has(entry.key)
    this.waiting.set(entry.key, entry)
    const last = this.entries[this.waiting.size - 2]
    if (!added || last === undefined || last.key < entry.key) return
    const sorted = this.entries.sort((one, other) => (one.key < other.key ? -1 : 1))
    this.waiting.clear()
    sorted.forEach((one) => this.waiting.set(one.key, one))
  }

  private change(entry: Entry): Change {
    return [outPrefix(this.scope) + entry.key, entry as unknown as Json]
  }
}
