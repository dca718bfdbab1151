export * from './platform'
export * from './ids'
export * from './api/client'
export * from './api/problem'
export type * from './api/types'
export * from './forms'
export * from './session/session'
export * from './attachments/attachments'
export * from './drafts/draft'
export { Drafts, type DraftElsewhere } from './drafts/drafts'
export { bodyOf, differences } from './drafts/conflict'
export { Backup, type BackupOutcome } from './drafts/backup'
export {
  remedies,
  type Call,
  type Entry,
  type EntryType,
  type Receipt,
  type Remedy,
  type SentEntry,
} from './outbox/entry'
export { Outbox, UnsettledConflict, type NewEntry, type OutboxState } from './outbox/outbox'
export type { ExportedPart } from './outbox/export'
export { Kept, type KeptAnswer } from './kept/kept'
export { Catalogues, type FoundEntries } from './kept/catalogues'
export { Dictionary, type DictionaryEntry, type DictionaryName } from './kept/dictionary'
export { Register, type Found, type KeptEnterprise, type LastVisit } from './register/register'
export { duplicatesOf, nameQuestion, type Duplicate, type NameQuestion } from './register/questions'
export { storageState, type StorageState } from './storage'
export { Workplace } from './workplace'
