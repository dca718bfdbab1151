/** The moves of a record in sentences, the newest first. */
import type { RecordMove } from '@/pages/records/types'

export interface Moved {
  key: number
  title: string
  at: string
  who: string
  /** Reason, opinion, what changed. */
  more: string[]
}

const TITLES: Record<string, string> = {
  save: '暂存',
  submit: '提交',
  dispose: '更新处置',
  correct: '更正',
  return: '退回更正',
  void: '作废',
  hand_over: '移交',
  erase: '依法删除个人信息',
}
const DISPOSALS: Record<string, string> = { done: '是', in_progress: '办理中', na: '不适用' }

/**
 * `labels`: of the disposals, by their number. The phone saves a draft every few seconds: what one person saved in a row
 * is one line, at the time of the last one.
 */
export function movesOf(moves: readonly RecordMove[], labels: ReadonlyMap<string, string>): Moved[] {
  return withoutRepeatedSaves(moves)
    .map((move) => ({
      key: move.seq,
      title: TITLES[move.action] ?? move.action,
      at: move.at,
      who: whoOf(move),
      more: [
        ...Object.entries(move.disposals ?? {}).map(([no, [before = '', after = '']]) => {
          return `${labels.get(no) ?? no}：${DISPOSALS[before] ?? before} → ${DISPOSALS[after] ?? after}`
        }),
        ...(move.author ? [`申请人：${move.author}`] : []),
        ...(move.reason ? [`原因：${move.reason}`] : []),
        ...(move.opinion ? [`意见：${move.opinion}`] : []),
        ...(move.erased === true ? ['内容已依法删除'] : []),
      ],
    }))
    .reverse()
}

function withoutRepeatedSaves(moves: readonly RecordMove[]): RecordMove[] {
  return moves.filter((move, index) => {
    const next = moves[index + 1]
    return !(move.action === 'save' && next?.action === 'save' && whoOf(next) === whoOf(move))
  })
}

function whoOf(move: RecordMove): string {
  return [move.operator_name ?? move.actor, move.office].filter(Boolean).join(' · ')
}
