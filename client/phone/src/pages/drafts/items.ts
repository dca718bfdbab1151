/** Drafts (暂存) of this phone and of the server as one list. */
import type { Draft, DraftElsewhere, RecordType } from '@gongpin/core'

export interface DraftItem {
  id: string
  recordType: RecordType
  /** Name of the enterprise; null where none was typed yet. */
  title: string | null
  /** Kind or code of its form. */
  kind: string | null
  productCode: string | null
  filled: { answered: number; total: number } | null
  photos: number
  /** Changed last, milliseconds since 1970. */
  at: number
  /** On this phone; otherwise it is fetched first. */
  here: boolean
  /** Why somebody has to look at it: changed on another phone too, or refused by the server. */
  needs: 'conflict' | 'faults' | 'refused' | null
  /** What the server said. */
  sentence: string | null
  backedUp: boolean
}

/** The last changed first; `photosOf` counts files of this phone, `isBackedUp` is the core's. */
export function itemsOf(
  drafts: readonly Draft[],
  elsewhere: readonly DraftElsewhere[],
  photosOf: (draft: Draft) => number,
  isBackedUp: (draft: Draft) => boolean,
): DraftItem[] {
  const here = drafts.map((draft): DraftItem => ({
    id: draft.id,
    recordType: draft.recordType,
    title: text(draft.body['org_name']),
    kind: text(draft.body['kind']),
    productCode: text(draft.body['product_code']),
    filled: draft.filled,
    photos: photosOf(draft),
    at: draft.changedAt,
    here: true,
    ...needOf(draft),
    backedUp: isBackedUp(draft),
  }))
  const known = new Set(here.map(({ id }) => id))
  const there = elsewhere
    .filter(({ id }) => !known.has(id))
    .map((draft): DraftItem => ({
      id: draft.id,
      recordType: draft.recordType,
      title: draft.title,
      kind: draft.kind,
      productCode: draft.productCode,
      filled: null,
      photos: 0,
      at: Date.parse(draft.updatedAt),
      here: false,
      needs: null,
      sentence: null,
      backedUp: true,
    }))
  return [...here, ...there].sort((one, other) => other.at - one.at)
}

function needOf({ conflict, problem, refused, changedAt }: Draft): Pick<DraftItem, 'needs' | 'sentence'> {
  if (conflict !== null) {
    return { needs: 'conflict', sentence: `另一部手机上也改过，有 ${conflict.differences.length} 处不同。` }
  }
  if (problem !== null) {
    const [first] = problem.errors
    const count = problem.errors.length
    return { needs: 'faults', sentence: count > 1 ? `还有 ${count} 处需要处理。` : (first?.message ?? problem.title) }
  }
  if (refused !== null && refused.changedAt === changedAt) {
    return { needs: 'refused', sentence: `只存在手机上：${refused.problem.errors[0]?.message ?? refused.problem.title}` }
  }
  return { needs: null, sentence: null }
}

/** Those of one tab whose enterprise's name holds what was typed. */
export function matching(items: readonly DraftItem[], type: RecordType, typed: string): DraftItem[] {
  const wanted = typed.normalize('NFKC').trim().toLowerCase()
  return items.filter(
    ({ recordType, title }) =>
      recordType === type && (title ?? '').normalize('NFKC').toLowerCase().includes(wanted),
  )
}

/** The question before a draft is deleted. */
export function deletion({ title, filled, photos }: DraftItem): { title: string; text: string } {
  const parts = [
    ...(filled ? [`已填 ${filled.answered} 项`] : []),
    ...(photos > 0 ? [`照片 ${photos} 张`] : []),
    '删除后不能恢复。',
  ]
  return { title: title ? `删除“${title}”的暂存记录？` : '删除这条暂存记录？', text: joined(parts) }
}

/** 已填 8 项、照片 2 张，删除后不能恢复。 */
function joined(parts: string[]): string {
  const [last] = parts.slice(-1)
  const facts = parts.slice(0, -1).join('、')
  return facts ? `${facts}，${last}` : (last ?? '')
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
