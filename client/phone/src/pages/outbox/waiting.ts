/** The page 待发送 in words. */
import type { Attachment, Entry, OutboxState, SentEntry } from '@gongpin/core'

/** `8.2 MB`, `640 KB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${(bytes / (1024 * 1024)).toFixed(1)} MB`
  return `${Math.max(1, Math.round(bytes / 1024))} KB`
}

/** Photos of an entry: 照片 2/4, and bytes that still have to be sent. */
export function photosOf({ files }: Pick<Entry, 'files'>, known: ReadonlyMap<string, Attachment>): { text: string; left: number } {
  const left = files
    .map((id) => known.get(id))
    .filter((file): file is Attachment => file !== undefined && file.uploadedAt === null)
  const text = files.length === 0 ? '无照片' : `照片 ${files.length - left.length}/${files.length}`
  return { text, left: left.reduce((sum, { size }) => sum + size, 0) }
}

/** Whatever keeps what waits from being sent, in a sentence; null while all goes well. */
export function pauseText({ pausedBy, waiting }: Pick<OutboxState, 'pausedBy' | 'waiting'>): string | null {
  if (pausedBy === 'sign-in') return `登录已过期。请重新登录，${waiting} 条待发送的记录会接着发送。`
  if (pausedBy === 'no-answer') return '服务器暂时不可用。记录已存手机，恢复后自动发送，不用重填。'
  return null
}

/** The tag of a waiting entry. */
export function stateText(
  { pausedBy, sending }: Pick<OutboxState, 'pausedBy' | 'sending'>,
  { attempts, asked }: Pick<Entry, 'attempts' | 'asked'>,
  first: boolean,
): string {
  if (pausedBy === 'offline') return '等待网络'
  if (pausedBy === 'sign-in') return '等待登录'
  if (first && sending) return '正在发送'
  return attempts > 0 && asked ? '正在重新确认' : '等待发送'
}

/** What an entry is called where it is no record of a form. */
export function nounOf({ type, recordType }: Pick<Entry, 'type' | 'recordType'>): string {
  if (type === 'disposals') return '更新处置'
  if (type === 'dictionary') return '新增名称'
  return recordType === 'spot-checks' ? '监督抽查' : '检查'
}

/** Accepted on the local day `today` (`2026-11-29`). */
export function sentOn(today: string, sent: readonly SentEntry[], dayOf: (time: number) => string): SentEntry[] {
  return sent.filter(({ sentAt }) => dayOf(sentAt) === today)
}
