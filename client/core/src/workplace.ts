import type { Api } from './api/client'
import { Unreachable } from './api/problem'
import { Attachments } from './attachments/attachments'
import { Backup } from './drafts/backup'
import { filesIn } from './drafts/draft'
import { Drafts } from './drafts/drafts'
import { Catalogues } from './kept/catalogues'
import { Dictionary } from './kept/dictionary'
import { Kept } from './kept/kept'
import { backoff } from './outbox/backoff'
import { exportWaiting, type ExportedPart } from './outbox/export'
import { Outbox } from './outbox/outbox'
import type { Platform } from './platform'
import { Upkeep } from './kept/upkeep'
import { Register } from './register/register'
import type { Me, Session } from './session/session'
import { type StorageState, storageState } from './storage'

const BACKUP_AFTER = 5_000
const DAY = 24 * 3_600_000

/**
 * Everything of one signed-in person on this phone; what others have here stays closed. One for each sign-in:
 * `Workplace.open` after it, `close` before somebody else signs in.
 */
export class Workplace {
  readonly attachments: Attachments
  readonly drafts: Drafts
  readonly backup: Backup
  readonly outbox: Outbox
  readonly kept: Kept
  readonly dictionary: Dictionary
  readonly catalogues: Catalogues
  readonly register: Register
  readonly upkeep: Upkeep
  private stops: (() => void)[] = []
  private cancelBackup: () => void = () => {}
  private failures = 0

  private constructor(
    private readonly platform: Platform,
    api: Api,
    session: Session,
    /** Who it belongs to. */
    readonly user: Me,
    scope: string,
  ) {
    this.attachments = new Attachments(platform, api, scope)
    this.drafts = new Drafts(platform, api, this.attachments, scope)
    this.backup = new Backup(platform, api, session, this.attachments, this.drafts, scope)
    this.outbox = new Outbox(platform, api, session, this.attachments, this.drafts, scope)
    this.kept = new Kept(platform, api, scope)
    this.dictionary = new Dictionary(platform, this.kept, this.outbox, scope)
    this.catalogues = new Catalogues(platform, api, scope)
    this.register = new Register(platform, api, scope)
    this.upkeep = new Upkeep(platform, api, session, this.kept, this.register, scope)
    this.stops = [
      this.drafts.watch(() => this.backUpIn(BACKUP_AFTER)),
      platform.network.watch((online) => online && this.backUpIn(0)),
      session.watch((event) => event === 'signed-in' && this.backUpIn(0)),
      platform.store.watch((keys) => {
        if (keys.includes(`${scope}register/mark`)) this.register.forgetLoaded()
      }),
    ]
  }

  /** Of the person who is signed in. Finishes what a crash left, and sends and saves by itself from now on. */
  static async open(platform: Platform, api: Api, session: Session): Promise<Workplace> {
    const { current, scope } = session
    if (current === undefined || scope === undefined) throw new Error('nobody is signed in')
    const workplace = new Workplace(platform, api, session, current.user, scope)
    await workplace.outbox.start()
    await workplace.sweep()
    await workplace.catalogues.load()
    workplace.upkeep.start()
    workplace.backUpIn(0)
    return workplace
  }

  /** Stops sending and saving; a step that is under way ends first. Everything stays on the phone. */
  async close(): Promise<void> {
    this.stops.forEach((stop) => stop())
    this.cancelBackup()
    this.stops = []
    await this.upkeep.stop()
    await this.outbox.stop()
  }

  async storage(): Promise<StorageState> {
    const files = await this.attachments.list()
    return storageState(
      this.platform,
      files.filter((file) => file.mediaType.startsWith('image/')).map((file) => file.size),
    )
  }

  /** 导出未发送; undefined where this phone never got the key. Raises `Problem` (`file_missing`). */
  async exportWaiting(): Promise<ExportedPart[] | undefined> {
    const recipient = await this.upkeep.exportKey()
    if (recipient === undefined) return undefined
    const entries = [...this.outbox.list()].sort((one, other) => (one.key < other.key ? -1 : 1))
    return exportWaiting(this.platform, this.attachments, entries, this.user, recipient)
  }

  /** Removes files that no draft and no waiting record names: of records that were accepted right before a crash. */
  private async sweep(): Promise<void> {
    const drafts = (await this.drafts.all()).map((draft) => draft.body)
    const dayAgo = this.platform.clock.now() - DAY
    const files = await this.attachments.list()
    const named = new Set(filesIn([drafts, this.outbox.list()], new Set(files.map((file) => file.id))))
    // What is not on the server was taken a moment ago, perhaps in another tab, and is about to be named.
    const left = files.filter((file) => !named.has(file.id) && (file.uploadedAt !== null || file.takenAt < dayAgo))
    await this.attachments.remove(left.map((file) => file.id))
  }

  /** Once typing has paused for a moment; later again where no answer comes. */
  private backUpIn(milliseconds: number): void {
    this.cancelBackup()
    if (this.stops.length === 0) return
    this.cancelBackup = this.platform.clock.after(milliseconds, () => void this.backUp())
  }

  private async backUp(): Promise<void> {
    if (!this.platform.network.online()) return
    try {
      await this.backup.all()
      this.failures = 0
    } catch (error) {
      this.failures += 1
      const seconds = error instanceof Unreachable ? (error.retryAfter ?? 0) : 0
      this.backUpIn(Math.max(seconds * 1000, backoff(this.failures, this.platform.randomBytes(1)[0]! / 256)))
    }
  }
}
