import type { Api } from '../api/client'
import { Problem, Unreachable } from '../api/problem'
import type { Attachments } from '../attachments/attachments'
import { bodyOf, differences } from '../drafts/conflict'
import { type Body, without } from '../drafts/draft'
import { recordPath } from '../drafts/drafts'
import type { Platform } from '../platform'
import type { Session } from '../session/session'
import { backoff } from './backoff'
import { type Entry, type Receipt, receiptOf, type SentEntry } from './entry'
import type { Queue } from './queue'

export type SendOutcome =
  | { done: 'accepted' | 'attention' | 'gone' }
  /** To be tried again at once. */
  | { done: 'again' }
  /** This entry waits; others may go on. */
  | { done: 'postponed' }
  /** Nothing can be sent for now; `seconds` where the server said how long. */
  | { done: 'pause'; reason: 'sign-in' | 'no-answer'; seconds?: number | undefined }

const NOT_SIGNED_IN = new Set(['password_change_required', 'account_disabled'])
/** Files that another sending or an hour frees. */
const UPLOAD_QUOTA = 'upload_quota'

/** Sends one waiting entry: files, an unanswered save of its draft, the write itself; each step is noted on the disk. */
export class Sender {
  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly session: Session,
    private readonly attachments: Attachments,
    private readonly queue: Queue,
    private readonly scope: string,
  ) {}

  /** One try. Raises nothing that the server or the network may do. */
  async send(entry: Entry): Promise<SendOutcome> {
    const token = this.session.tokenFor(this.scope)
    if (token === undefined) return { done: 'pause', reason: 'sign-in' }
    try {
      for (const file of entry.files) await this.upload(file, entry, token)
      const ready = entry.before === null ? entry : await this.repeatSave(entry, token)
      if (ready === undefined) return { done: 'gone' }
      // From here on it can no longer be edited: the server may accept it although no answer comes.
      const asked = await this.queue.update(ready.key, (now) =>
        now.state === 'waiting' ? { ...now, asked: true } : undefined,
      )
      if (asked === undefined) return { done: 'gone' }
      const { method, path, body } = asked.call
      const answer = await this.api.send(method, path, { body, token })
      return await this.accepted(asked, receiptOf(answer.body))
    } catch (error) {
      if (error instanceof Problem) return this.refused(entry, error, token)
      if (error instanceof Unreachable) return this.unanswered(entry, error)
      throw error
    }
  }

  private async upload(file: string, entry: Entry, token: string): Promise<void> {
    try {
      await this.attachments.upload(file, token)
    } catch (error) {
      if (!(error instanceof Problem) || error.errors.some((fault) => fault.path === placeOf(file, entry.call.body)))
        throw error
      if (error.status === 401 || error.status === 403 || error.status === 429) throw error
      const message = error.errors[0]?.message ?? error.title
      const fault = { path: placeOf(file, entry.call.body), code: error.code, message }
      throw new Problem(error.status, error.code, error.title, [fault], error.retryAfter, error.body)
    }
  }

  /** The save of the draft whose answer never came; the submission then goes on from the version that it made. */
  private async repeatSave(entry: Entry, token: string): Promise<Entry | undefined> {
    const path = recordPath(entry.recordType!, entry.id)
    const record = (await this.api.send('PUT', path, { body: entry.before!, token })).body as Body
    const expected = (typeof entry.before!['version'] === 'number' ? entry.before!['version'] : 0) + 1
    return this.queue.update(entry.key, (now) => ({
      ...now,
      before: null,
      // A later version is of another phone: the submission must meet `stale_version`, not overwrite it.
      call: { ...now.call, body: { ...now.call.body, version: Math.min(expected, Number(record['version'])) } },
    }))
  }

  private async accepted(entry: Entry, receipt: Receipt): Promise<SendOutcome> {
    const { key, id, type, recordType, title, createdAt } = entry
    const about = type === 'submission' ? whatItIsAbout(entry.call.body) : null
    const sent: SentEntry = {
      key,
      id,
      type,
      recordType,
      title,
      about,
      createdAt,
      sentAt: this.platform.clock.now(),
      receipt,
    }
    const from = entry.call.body['version']
    await this.queue.accept(sent, (follower) =>
      receipt.version === null || follower.call.body['version'] !== from || type === 'submission'
        ? follower
        : { ...follower, call: { ...follower.call, body: { ...follower.call.body, version: receipt.version } } },
    )
    await this.attachments.remove(entry.files)
    return { done: 'accepted' }
  }

  private async refused(entry: Entry, problem: Problem, token: string): Promise<SendOutcome> {
    if (problem.status === 401 || NOT_SIGNED_IN.has(problem.code)) {
      await this.queue.update(entry.key, (now) => ({ ...now, asked: entry.asked }))
      return { done: 'pause', reason: 'sign-in' }
    }
    if (problem.status === 429) return { done: 'pause', reason: 'no-answer', seconds: problem.retryAfter }
    if (problem.code === UPLOAD_QUOTA) return this.postponed(entry)
    const swept = sweptFiles(entry, problem)
    if (swept.length > 0) {
      await this.attachments.forgetUploads(swept)
      await this.queue.update(entry.key, (now) => ({ ...now, asked: false, filesSentAgain: true }))
      return { done: 'again' }
    }
    if (problem.code === 'already_submitted' && entry.type === 'submission') {
      const receipt = await this.sameOnServer(entry, token)
      if (receipt !== undefined) return this.accepted(entry, receipt)
    }
    // Refused is refused: it can be edited again.
    await this.queue.update(entry.key, (now) => ({
      ...now,
      state: 'attention',
      asked: false,
      before: null,
      problem: problem.kept(),
    }))
    return { done: 'attention' }
  }

  /** The receipt, where what was submitted under this id says what this entry says: it was accepted long ago. */
  private async sameOnServer(entry: Entry, token: string): Promise<Receipt | undefined> {
    try {
      const record = (await this.api.send('GET', recordPath(entry.recordType!, entry.id), { token })).body as Body
      const body = without(entry.call.body, 'confirm_duplicate', 'confirm_name', 'version')
      return differences(body, bodyOf(record), null).length === 0 ? receiptOf(record) : undefined
    } catch (error) {
      if (error instanceof Problem || error instanceof Unreachable) return undefined
      throw error
    }
  }

  private async unanswered(entry: Entry, unreachable: Unreachable): Promise<SendOutcome> {
    // Without a network nothing has left the phone.
    const asked = unreachable.reason === 'offline' ? entry.asked : undefined
    const failed = await this.queue.update(entry.key, (now) => ({
      ...now,
      asked: asked ?? now.asked,
      attempts: now.attempts + (unreachable.reason === 'offline' ? 0 : 1),
    }))
    // What makes the server fail each time shall not hold up all others.
    if (unreachable.status === 500 && failed !== undefined && failed.attempts >= 2) return this.postponed(failed)
    return { done: 'pause', reason: 'no-answer', seconds: unreachable.retryAfter }
  }

  private async postponed(entry: Entry): Promise<SendOutcome> {
    const chance = this.platform.randomBytes(1)[0]! / 256
    const nextAt = this.platform.clock.now() + backoff(Math.max(entry.attempts, 4), chance)
    await this.queue.update(entry.key, (now) => ({ ...now, nextAt }))
    return { done: 'postponed' }
  }
}

const DUPLICATE_FIELDS = ['kind', 'product_code', 'uscc', 'org_name', 'org_address', 'check_date']

/** What decides whether another check repeats this one. */
export function whatItIsAbout(body: Body): Body {
  return Object.fromEntries(DUPLICATE_FIELDS.filter((name) => name in body).map((name) => [name, body[name]]))
}

/** Where an id stands in a body, as a JSON Pointer; "" where it does not. */
export function placeOf(id: string, value: unknown, path = ''): string {
  if (value === id) return path
  if (typeof value !== 'object' || value === null) return ''
  for (const [name, inner] of Object.entries(value)) {
    const found = placeOf(id, inner, `${path}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`)
    if (found !== '') return found
  }
  return ''
}

function sweptFiles(entry: Entry, problem: Problem): string[] {
  if (entry.filesSentAgain || problem.status !== 422) return []
  const places = problem.errors.filter((fault) => fault.code === 'unknown_file').map((fault) => fault.path)
  return entry.files.filter((file) => places.includes(placeOf(file, entry.call.body)))
}
