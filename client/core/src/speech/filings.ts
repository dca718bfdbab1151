/** What is said of filings (办件): where one stands, what comes next, what a step undoes. */
import type { AnswerOf } from '../api/types'

import { localTime } from './dates'

export type Filing = AnswerOf<'/api/v1/filings/{filing_id}', 'get'>
export type FilingRow = AnswerOf<'/api/v1/filings', 'get'>['items'][number]
export type Kind = AnswerOf<'/api/v1/filing-kinds/{kind}', 'get'>
export type Step = Kind['steps'][number]
export type Move = AnswerOf<'/api/v1/filings/{filing_id}/history', 'get'>['items'][number]

/** The steps that the caller may take now, as the kind declares them: sending first. */
export function stepsOf(kind: Kind, filing: Pick<Filing, 'status' | 'actions'>): Step[] {
  const own = filing.actions.flatMap((action) => kind.steps.filter((one) => one.action === action && one.from === filing.status))
  return [...own.filter((one) => one.sends), ...own.filter((one) => !one.sends)]
}

/** The tag of a status: my turn, the other side's, ended, returned. */
export function tagOf(
  kind: Pick<Kind, 'statuses'> | undefined,
  filing: Pick<FilingRow, 'status' | 'actions' | 'opinion'>,
): 'mine' | 'other' | 'well' | 'returned' {
  const status = kind?.statuses.find((one) => one.code === filing.status)
  if (status?.final) return 'well'
  if (status?.editable && filing.opinion) return 'returned'
  return filing.actions.includes('save') ? 'mine' : 'other'
}

/** What a step brings about and undoes, in a sentence; null for one that needs no question. */
export function consequenceOf(kind: Kind, step: Step, filing: Pick<Filing, 'sent' | 'sent_at' | 'documents' | 'status'>): string | null {
  const label = (code: string) => kind.statuses.find((one) => one.code === code)?.label ?? code
  const editable = (code: string) => kind.statuses.some((one) => one.code === code && one.editable)
  if (step.sends) return null
  if (step.to === 'deleted') {
    const papers = filing.documents.length ? `、材料 ${filing.documents.length} 份` : ''
    return `填写的内容${papers}将一起删除，不能恢复。`
  }
  if (step.restores) return `修改中的内容将放弃，恢复为第 ${filing.sent} 次提交的内容。`
  if (filing.sent_at && !editable(filing.status) && editable(step.to)) {
    return (
      `第 ${filing.sent} 次提交（${localTime(filing.sent_at)}）将不再办理，状态回到“${label(step.to)}”。` +
      '内容和材料都保留，可修改后重新提交；提交时间以重新提交的为准。'
    )
  }
  return null
}

/** What is to be done now, in a sentence for whoever opens the filing. */
export function nextOf(kind: Kind, filing: Pick<Filing, 'status' | 'actions'>, later = '结果会出现在“待办”中。'): string {
  const status = kind.statuses.find((one) => one.code === filing.status)
  if (status?.final) return '已办结。'
  const [first] = stepsOf(kind, filing)
  if (first?.sends) return `请填写下列各项，再点“${first.label}”。`
  if (first && filing.actions.some((action) => action !== 'withdraw' && action !== 'delete')) return `可以办理：${first.label}。`
  return `已提交，等待局方办理。${later}`
}

/** The coming step of the timeline; empty where it is over. */
export function comingOf(kind: Kind, filing: Pick<Filing, 'status' | 'actions' | 'finished_at'>): string {
  if (filing.finished_at) return ''
  const [first] = stepsOf(kind, filing)
  return first && (first.sends || !filing.actions.includes('withdraw')) ? `下一步：${first.label}` : '等待局方办理'
}

/** The fields that lists show of a filing, each with its label, without those that are empty. */
export function summaryOf(kind: Kind | undefined, summary: Readonly<Record<string, unknown>>): string[] {
  const items = kind?.form.sections.flatMap((section) => section.items) ?? []
  return Object.entries(summary).flatMap(([name, value]) => {
    const label = items.find((one) => 'field' in one && one.field === name)?.text
    return value === null || value === '' || typeof value === 'object' ? [] : [label ? `${label}：${String(value)}` : String(value)]
  })
}

/** A party (当事方) as it is shown: who, and whether they have confirmed where that is awaited. */
export interface PartyLine {
  key: string
  label: string
  name: string
  /** Empty where nobody waits for a confirmation of theirs. */
  state: string
  confirmed: boolean
}

/** The parties of a filing; of those who confirm, whether and when they did. */
export function partiesOf(kind: Pick<Kind, 'steps'>, filing: Pick<Filing, 'status' | 'parties' | 'confirmations'>): PartyLine[] {
  const asked = new Set(kind.steps.filter((one) => one.confirms && one.from === filing.status).flatMap((one) => one.by))
  return filing.parties.map((one, place) => {
    const { party, label, name, leader, confirmed_at: at } = one
    const awaited = filing.confirmations !== null && asked.has(party)
    const state = at ? `✓ ${localTime(at)} 已确认` : awaited ? '○ 未确认' : ''
    return { key: `${party} ${name} ${place}`, label, name: leader ? `${name}（组长）` : name, state, confirmed: !!at }
  })
}

/** The clocks of a filing beside its due day: what they count to, and whether they stand still. */
export function clocksOf(filing: Pick<Filing, 'clocks'>): { key: string; label: string; text: string }[] {
  return filing.clocks.map(({ name, label, counting, due_on, provisional, paused }) => {
    const day = counting === 'waiting' ? `${due_on} 起可以办理` : `${due_on} 前`
    const guessed = provisional ? '（工作日历未公布，按推算）' : ''
    return { key: name, label, text: paused ? '‖ 暂停' : day + guessed }
  })
}

export interface Post {
  key: number
  title: string
  at: string
  who: string
  opinion: string | null
}

/** The moves as posts of a timeline, the newest on top. */
export function postsOf(kind: Kind, moves: readonly Move[]): Post[] {
  return moves
    .map((move) => ({
      key: move.seq,
      title: titleOf(kind, move),
      at: localTime(move.at),
      who: whoOf(move),
      opinion: move.comment ?? null,
    }))
    .reverse()
}

/** Who registered without an account acts under a user name that the server made; the office is the applicant's own. */
function whoOf({ operator_name, actor, office }: Move): string {
  if (actor?.startsWith('reg-')) return '申报人（凭查询码）'
  return [operator_name ?? actor ?? '系统', office].filter(Boolean).join(' · ')
}

function titleOf(kind: Kind, move: Move): string {
  if (move.former_due_on && move.due_on) {
    const why = move.outage ? `因系统故障（${move.outage}）` : ''
    return `${why}期限由 ${move.former_due_on} ${move.outage ? '顺延至' : '调整为'} ${move.due_on}`
  }
  const step = kind.steps.find((one) => one.action === move.action && (one.from ?? null) === (move.from ?? null))
  const words = step?.label ?? kind.steps.find((one) => one.action === move.action)?.label ?? move.action
  return move.sent ? `${words}（第 ${move.sent} 次）` : words
}

/** Bytes as people read them. */
export function sizeWords(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1_048_576).toFixed(1).replace(/\.0$/, '')} MB`
}
