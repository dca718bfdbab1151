/** What a colleague's phone exported (导出未发送), in words: what comes in, and what became of each record. */
import type { AnswerOf } from '@gongpin/core'

export type Contents = AnswerOf<'/api/v1/outbox-imports/contents', 'post'>
export type Imported = AnswerOf<'/api/v1/outbox-imports', 'post'>
type Exported = Contents['records'][number]

/** What the server takes in one file. */
export const MOST_BYTES = 20 * 1024 * 1024

/** Why a chosen file is not sent at all. */
export function faultOf(file: { name: string; bytes: { length: number } }): string | null {
  if (!file.name.toLowerCase().endsWith('.age')) return '请选择手机“导出未发送”得到的文件（名称以 .age 结尾）。'
  if (file.bytes.length > MOST_BYTES) return '文件超过 20 MB，不是手机导出的文件。请在手机上重新导出。'
  return null
}

export function titleOf(record: Exported): string {
  return record.title ?? '未填企业名称'
}

export function factsOf(record: Exported): string {
  return [record.what, record.day, record.photos ? `照片等 ${record.photos} 个` : null].filter(Boolean).join(' · ')
}

/** Of an export in several files: which one it is. */
export function partOf({ part, parts }: Pick<Contents, 'part' | 'parts'>): string | null {
  return part && parts && parts > 1 ? `共 ${parts} 个文件，这是第 ${part} 个，请按顺序全部导入。` : null
}

const RESULTS = {
  accepted: { tag: '✓ 已导入', kind: 'well' },
  repeated: { tag: '已有，未重复', kind: 'other' },
  refused: { tag: '未导入', kind: 'bad' },
} as const

/** What became of a record; null before it is imported. */
export function resultOf(record: Pick<Exported, 'id'>, imported: Imported | undefined) {
  const one = imported?.records.find(({ id }) => id === record.id)
  return one ? { ...RESULTS[one.result], message: one.message ?? null } : null
}

export function summaryOf({ accepted, repeated, refused }: Imported): string {
  const parts = [
    `已导入 ${accepted} 条`, repeated ? `${repeated} 条此前已有` : '', refused.length ? `${refused.length} 条未导入，原因见下` : '',
  ]
  return `${parts.filter(Boolean).join('，')}。`
}
