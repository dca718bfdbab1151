import { type Platform, StorageFull } from '../platform'
import { backoff } from './backoff'
import type { Entry } from './entry'
import type { Queue } from './queue'
import type { Sender } from './sender'

/** Sends what waits, one entry at a time and one tab at a time; knows when the next try is due. */
export class Runner {
  sending = false
  /** Why the last try ended before everything was sent. */
  pausedBy: 'offline' | 'sign-in' | 'no-answer' | null = null
  /** Milliseconds since 1970. */
  nextTryAt: number | null = null
  private isOn = false
  private again = false
  private running: Promise<void> | undefined
  private failures = 0
  private cancelTimer: () => void = () => {}

  constructor(
    private readonly platform: Platform,
    private readonly queue: Queue,
    private readonly sender: Sender,
    private readonly scope: string,
    /** Called when anything of the above, or what waits, has changed. */
    private readonly tell: () => void,
  ) {}

  start(): void {
    this.isOn = true
  }

  /** The step that is under way ends first. */
  async stop(): Promise<void> {
    this.isOn = false
    this.cancelTimer()
    await this.running
  }

  /** Something has changed: there is something to send, or a network, or a token. */
  wake(): void {
    this.failures = 0
    this.nextTryAt = null
    void this.run(false)
    this.tell()
  }

  /** Tries now, whatever the backoff and the network say. Resolves when nothing more can be sent for now. */
  async now(): Promise<void> {
    // What runs already may have ended for another reason, or looked before the network came.
    while (this.running !== undefined) await this.running
    this.failures = 0
    this.nextTryAt = null
    await this.run(true)
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
        this.tell()
        // What woke it while it was ending: a sign-in during the very request that was refused.
        if (this.again && this.isOn) void this.run(false)
      })
    return this.running
  }

  private async sendAll(forced: boolean): Promise<void> {
    this.again = false
    if (!this.platform.network.online() && !forced) return this.paused('offline', undefined)
    await this.queue.reload()
    do {
      this.again = false
      const passed = new Set<string>()
      for (let entry = this.next(passed); entry !== undefined; entry = this.next(passed)) {
        if (!this.platform.network.online() && !forced) return this.paused('offline', undefined)
        this.sending = true
        this.tell()
        const outcome = await this.sender.send(entry)
        if (outcome.done === 'pause') return this.paused(outcome.reason, outcome.seconds)
        this.pausedBy = null
        this.failures = 0
        if (outcome.done === 'accepted') await this.noteSuccess()
        else if (outcome.done !== 'again') passed.add(entry.key)
        if (!this.isOn && !forced) return
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

  private paused(reason: 'offline' | 'sign-in' | 'no-answer', seconds: number | undefined): void {
    this.pausedBy = reason
    // A network or a sign-in wakes it.
    if (reason !== 'no-answer') return
    this.failures += 1
    const wait = backoff(this.failures, this.platform.randomBytes(1)[0]! / 256)
    this.nextTryAt = this.platform.clock.now() + Math.max(wait, (seconds ?? 0) * 1000)
  }

  private schedule(): void {
    this.cancelTimer()
    if (!this.isOn) return
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
}

/** Where it stands when the server last accepted something. */
export function lastSuccessKey(scope: string): string {
  return `${scope}last-success`
}

function names(entry: Entry, words: readonly string[]): boolean {
  const text = JSON.stringify(entry.call.body)
  return words.some((word) => text.includes(word))
}
