import type { KeptProblem } from '../api/problem'
import type { Body, Draft, RecordType } from '../drafts/draft'
import type { Method } from '../platform'

/** A write, as it is sent; `path` is complete and encoded. The body stays the same until an answer has come. */
export interface Call {
  method: Exclude<Method, 'GET'>
  path: string
  body: Body
}

export type EntryType =
  /** A check or spot check that is submitted (提交). */
  | 'submission'
  /** Disposals of a submitted record (处置). */
  | 'disposals'
  /** A product item or test item that was added on the phone. */
  | 'dictionary'
  | 'other'

/** A write that waits in the outbox (待发送). */
export interface Entry {
  /** Its place: entries are sent in the order of their keys. */
  key: string
  /** What it is about: later entries about the same wait for earlier ones. The record's id, or the dictionary entry's. */
  id: string
  type: EntryType
  recordType: RecordType | null
  /** For the list: the enterprise, or the word that was added. */
  title: string | null
  call: Call
  /** A save of the draft whose answer never came, `version` included: it is repeated first. */
  before: Body | null
  /** Ids of the attachments that are uploaded first. */
  files: string[]
  /** The draft that it was, hidden answers included; null where it was none. */
  draft: Draft | null
  /** Milliseconds since 1970, as the next. */
  createdAt: number
  state: 'waiting' | 'attention'
  /** Tries of the call itself that ended without a usable answer. */
  attempts: number
  /** Not tried before. */
  nextAt: number
  /** Sent at least once without a known answer: the server may have accepted it, so it can no longer be edited. */
  asked: boolean
  /** Files that the server had swept were sent again. */
  filesSentAgain: boolean
  /** Why it needs attention. */
  problem: KeptProblem | null
}

/** What the server said of a write that was accepted. */
export interface Receipt {
  version: number | null
  submittedAt: string | null
  problemsFound: boolean | null
  warnings: { code: string; message: string; path?: string }[]
}

/** A write that the server has accepted; kept for two days. */
export interface SentEntry {
  key: string
  id: string
  type: EntryType
  recordType: RecordType | null
  title: string | null
  /** What `duplicates` asks: kind, product, code, name, address and day; null where it was no submission. */
  about: Body | null
  createdAt: number
  sentAt: number
  receipt: Receipt
}

/** What the person can do about an entry that needs attention (需要你处理). */
export type Remedy =
  /** `Outbox.confirm`: such a check stands already (仍然提交); `problem.body.duplicates` are its ids. */
  | 'confirm_duplicate'
  /** `Outbox.confirm`: the register has another name (仍按填写的提交); `problem.body.registered` says which. */
  | 'confirm_name'
  /** `Outbox.edit`, mend the faults at their paths, submit again. */
  | 'edit'
  /** `Outbox.edit`; the draft then shows both sides (`Draft.conflict`) once it is backed up. */
  | 'compare'
  /** `Outbox.saveAsNew`: under this id nothing can be sent any more, what was filled in goes on as another record. */
  | 'save_as_new'
  /** Nothing can be sent any more: look at the record, then `Outbox.discard`. */
  | 'discard'
  /** `Outbox.retry`: not the fault of what was sent (right lost, refused for another reason). */
  | 'retry'

/** The ways out of an entry that needs attention, the best one first. */
export function remedies({ problem, type, draft }: Pick<Entry, 'problem' | 'type' | 'draft'>): Remedy[] {
  const editable: Remedy[] = draft === null ? [] : ['edit']
  const renewable: Remedy[] = draft === null ? [] : ['save_as_new']
  switch (problem?.code) {
    case undefined:
      return []
    case 'duplicate_check':
      return ['confirm_duplicate', ...editable, 'discard']
    case 'name_differs':
      return ['confirm_name', ...editable, 'discard']
    case 'stale_version':
      return type === 'submission' ? ['compare', 'discard'] : ['discard']
    case 'already_submitted':
    case 'handed_over':
    case 'wrong_status':
      return [...renewable, 'discard']
  }
  if (problem!.status === 404) return [...renewable, 'discard']
  if (problem!.status === 403) return ['retry', 'discard']
  return [...editable, 'retry', 'discard']
}

export const outPrefix = (scope: string): string => `${scope}out/`
export const sentPrefix = (scope: string): string => `${scope}sent/`

/** What is kept of an answer. */
export function receiptOf(answer: unknown): Receipt {
  const said = (typeof answer === 'object' && answer !== null ? answer : {}) as Body
  return {
    version: typeof said['version'] === 'number' ? said['version'] : null,
    submittedAt: typeof said['submitted_at'] === 'string' ? said['submitted_at'] : null,
    problemsFound: typeof said['problems_found'] === 'boolean' ? said['problems_found'] : null,
    warnings: (Array.isArray(said['warnings']) ? said['warnings'] : []) as unknown as Receipt['warnings'],
  }
}
