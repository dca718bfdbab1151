import type { Api } from '../api/client'
import { Problem } from '../api/problem'
import type { Attachments } from '../attachments/attachments'
import type { Platform } from '../platform'
import type { Session } from '../session/session'
import { conflictOf } from './conflict'
import { type Body, type Draft, filesIn, isBackedUp, without } from './draft'
import { type Drafts, recordPath } from './drafts'

export type BackupOutcome =
  /** The server has what this phone has. */
  | 'saved'
  /** Nobody is signed in, or the server asks to wait. */
  | 'later'
  /** The draft has a `conflict`, or was `refused`. */
  | 'needs-attention'
  /** Deleted on both sides, or submitted meanwhile. */
  | 'gone'

const WAITS = new Set([401, 429])
const MAY_NOT_YET = new Set(['password_change_required', 'account_disabled', 'upload_quota'])

/**
 * Saves drafts to the server too (已备份), photos first. A save whose answer is lost is repeated in the same words, so
 * that it can neither be applied twice nor overwrite what another phone saved.
 */
export class Backup {
  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly session: Session,
    private readonly attachments: Attachments,
    private readonly drafts: Drafts,
    private readonly scope: string,
  ) {}

  /** All drafts, the oldest change first; stops at the first `later`. Raises `Unreachable`. */
  async all(): Promise<void> {
    const drafts = (await this.drafts.all()).sort((one, other) => one.changedAt - other.changedAt)
    for (const draft of drafts) if ((await this.one(draft.id)) === 'later') return
  }

  /** One draft. Raises `Unreachable`; whatever happens, the draft stays on this phone. */
  one(id: string): Promise<BackupOutcome> {
    return this.platform.locks.exclusively(`${this.scope}backup`, async () => {
      const draft = await this.drafts.read(id)
      const token = this.session.tokenFor(this.scope)
      if (draft === undefined) return 'gone'
      if (token === undefined) return 'later'
      try {
        return await (draft.removed ? this.removed(draft, token) : this.saved(draft, token))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        if (WAITS.has(error.status) || MAY_NOT_YET.has(error.code)) return 'later'
        const refused = { problem: error.kept(), changedAt: draft.changedAt }
        await this.drafts.update(id, (now) => now && { ...now, unanswered: null, refused })
        return 'needs-attention'
      }
    })
  }

  private async saved(draft: Draft, token: string): Promise<BackupOutcome> {
    if (draft.conflict !== null) return 'needs-attention'
    if (isBackedUp(draft)) return 'saved'
    if (draft.refused?.changedAt === draft.changedAt) return 'needs-attention'
    if (draft.unanswered !== null) {
      const outcome = await this.put(draft, draft.unanswered, token)
      if (outcome !== 'saved') return outcome
    }
    return this.savedNow(draft.id, token)
  }

  /** What the draft says at this moment. */
  private async savedNow(id: string, token: string): Promise<BackupOutcome> {
    const draft = await this.drafts.read(id)
    if (draft === undefined || draft.removed) return 'later'
    if (isBackedUp(draft)) return 'saved'
    const known = new Set((await this.attachments.list()).map((file) => file.id))
    for (const file of filesIn(draft.body, known)) await this.attachments.upload(file, token)
    const sent: Body = draft.server === null ? draft.body : { ...draft.body, version: draft.server.version }
    // Written before it is sent: after a crash it is repeated in these words.
    const noted = await this.drafts.update(id, (now) => (now && !now.removed ? { ...now, unanswered: sent } : now))
    if (noted === undefined || noted.removed) return 'gone'
    return this.put(draft, sent, token)
  }

  private async put(draft: Draft, sent: Body, token: string): Promise<BackupOutcome> {
    let record: Body
    try {
      record = (await this.api.send('PUT', recordPath(draft.recordType, draft.id), { body: sent, token })).body as Body
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'stale_version') throw error
      const read = await this.api.send('GET', recordPath(draft.recordType, draft.id), { token })
      return this.answered(draft.id, sent, read.body as Body, false)
    }
    // A repetition answers the record as it is now, which another phone may have changed since.
    const own = record['version'] === (typeof sent['version'] === 'number' ? sent['version'] : 0) + 1
    return this.answered(draft.id, sent, record, own)
  }

  private async answered(id: string, sent: Body, record: Body, own: boolean): Promise<BackupOutcome> {
    const body = without(sent, 'version')
    const draft = await this.drafts.update(id, (now) => {
      if (now === undefined) return now
      const agreed = { version: Number(record['version']), body, at: this.platform.clock.now() }
      const settled = { ...now, unanswered: null, refused: null }
      if (own) return { ...settled, server: agreed }
      const conflict = conflictOf(now.body, record, now.server?.body ?? null)
      if (conflict.differences.length === 0) return { ...settled, server: { ...agreed, body: now.body } }
      return { ...settled, conflict }
    })
    if (draft === undefined) return 'gone'
    return draft.conflict === null ? 'saved' : 'needs-attention'
  }

  private async removed(draft: Draft, token: string): Promise<BackupOutcome> {
    if (draft.server !== null || draft.unanswered !== null) {
      try {
        await this.api.send('DELETE', recordPath(draft.recordType, draft.id), { token })
      } catch (error) {
        // Unknown there, deleted, submitted by another phone, or handed over: there is no draft of this person any more.
        if (!(error instanceof Problem) || ![404, 409].includes(error.status)) throw error
      }
    }
    const files = new Set((await this.attachments.list()).map((file) => file.id))
    await this.drafts.forget(draft, filesIn(draft.body, files))
    return 'gone'
  }
}
