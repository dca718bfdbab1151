import { describe, expect, it } from 'vitest'

import { manySteps } from '../src/pages/enterprise/steps-for-many'

import { clocksOf, comingOf, consequenceOf, nextOf, partiesOf, postsOf, stepsOf, tagOf, type Filing, type Kind } from '@gongpin/core/speech'

const step = (action: string, label: string, from: string | null, to: string, more: object = {}) => ({
  action, label, from, to, comment_required: false, sends: false, restores: false, mine: true, ...more,
})
const KIND = {
  statuses: [
    { code: 'draft', label: '填报中', editable: true, final: false },
    { code: 'unread', label: '未阅', editable: false, final: false },
    { code: 'read', label: '已阅', editable: false, final: true },
    { code: 'deleted', label: '已删除', editable: false, final: true },
  ],
  steps: [
    step('open', '添加', null, 'draft'), step('delete', '删除', 'draft', 'deleted'),
    step('submit', '提交', 'draft', 'unread', { sends: true }), step('withdraw', '撤回修改', 'unread', 'draft'),
    step('cancel', '取消修改', 'draft', 'unread', { restores: true }),
  ],
} as unknown as Kind
const DRAFT = { status: 'draft', actions: ['save', 'delete', 'submit'], sent: 0, sent_at: null, documents: [], opinion: null } as unknown as Filing
const SENT = { ...DRAFT, status: 'unread', actions: ['withdraw'], sent: 2, sent_at: '2026-11-29T02:41:00Z' } as unknown as Filing

describe('a filing in words, from its declaration alone', () => {
  it('offers sending first among the steps of its status', () => {
    expect(stepsOf(KIND, DRAFT).map((one) => one.label)).toEqual(['提交', '删除'])
  })

  it('says what taking it back undoes, with the time that is given up', () => {
    const [withdraw] = stepsOf(KIND, SENT)
    expect(consequenceOf(KIND, withdraw!, SENT)).toBe(
      '第 2 次提交（2026-11-29 10:41）将不再办理，状态回到“填报中”。内容和材料都保留，可修改后重新提交；提交时间以重新提交的为准。',
    )
  })

  it('asks before it is deleted or a change is given up, and not before it is sent', () => {
    const [submit, remove] = stepsOf(KIND, DRAFT)
    expect(consequenceOf(KIND, submit!, DRAFT)).toBeNull()
    expect(consequenceOf(KIND, remove!, { ...DRAFT, documents: [{}] } as never)).toBe('填写的内容、材料 1 份将一起删除，不能恢复。')
    const cancel = KIND.steps.find((one) => one.restores)!
    expect(consequenceOf(KIND, cancel, SENT)).toContain('恢复为第 2 次提交的内容')
  })

  it('says whose turn it is', () => {
    expect([nextOf(KIND, DRAFT), nextOf(KIND, SENT)]).toEqual([
      '请填写下列各项，再点“提交”。', '已提交，等待局方办理。结果会出现在“待办”中。',
    ])
    expect([comingOf(KIND, { ...DRAFT, finished_at: null }), comingOf(KIND, { ...SENT, finished_at: null })]).toEqual(['下一步：提交', '等待局方办理'])
    expect([tagOf(KIND, DRAFT), tagOf(KIND, SENT), tagOf(KIND, { ...DRAFT, opinion: '请补正' } as never)]).toEqual(['mine', 'other', 'returned'])
  })

  it('names its parties, and who of them has confirmed where that is awaited', () => {
    const party = (name: string, at: string | null, more: object = {}) => ({ party: 'reviewer', label: '评审员', name, leader: false, confirmed_at: at, ...more })
    const parties = [party('甲', '2026-11-29T02:41:00Z', { leader: true }), party('乙', null), { ...party('丙机构', null), party: 'agency' }]
    const kind = { steps: [step('confirm', '确认', 'read', 'read', { confirms: true, by: ['reviewer'] })] }
    const shown = (confirmations: object | null) => partiesOf(kind as never, { status: 'read', parties, confirmations } as never).map((one) => `${one.name} ${one.state}`)
    expect(shown({ needed: 2, given: ['甲'] })).toEqual(['甲（组长） ✓ 2026-11-29 10:41 已确认', '乙 ○ 未确认', '丙机构 '])
    expect(shown(null)).toEqual(['甲（组长） ✓ 2026-11-29 10:41 已确认', '乙 ', '丙机构 '])
  })

  it('says to which day each clock counts, and which stands still', () => {
    const clock = { name: 'a', label: '受理期限', counting: 'deadline', due_on: '2026-12-04', provisional: true, paused: false }
    const clocks = [clock, { ...clock, name: 'b', counting: 'waiting', provisional: false }, { ...clock, name: 'c', paused: true }]
    expect(clocksOf({ clocks } as never).map((one) => one.text)).toEqual(['2026-12-04 前（工作日历未公布，按推算）', '2026-12-04 起可以办理', '‖ 暂停'])
  })

  it('calls who registered without an account what they are', () => {
    const move = { seq: 1, at: '2026-11-29T02:00:00Z', action: 'open', from: null, to: 'draft', version: 1, actor: 'reg-0a1b', office: '某机构' }
    expect(postsOf(KIND, [move] as never)[0]!.who).toBe('申报人（凭查询码）')
  })

  it('offers a step for many with those of the list that wait for it', () => {
    const kind = { steps: [step('list', '公布', 'read', 'read', { many: true, by: [] }), step('drop', '撤销', 'read', 'read')] }
    const rows = [{ id: '1', status: 'read', actions: ['list'] }, { id: '2', status: 'read', actions: [] }, { id: '3', status: 'unread', actions: ['list'] }]
    expect(manySteps(kind as never, rows as never)).toMatchObject([{ action: 'list', ids: ['1'] }])
    expect(manySteps(undefined, rows as never)).toEqual([])
  })

  it('says why a deadline was moved, and by what', () => {
    const moved = { seq: 3, at: '2026-11-30T02:00:00Z', action: 'postpone', from: 'draft', to: 'draft', version: 1, due_on: '2026-12-02', former_due_on: '2026-11-30' }
    const titles = postsOf(KIND, [{ ...moved, outage: '机房停电' }, { ...moved, outage: null }] as never).map((post) => post.title)
    expect(titles.reverse()).toEqual([
      '因系统故障（机房停电）期限由 2026-11-30 顺延至 2026-12-02', '期限由 2026-11-30 调整为 2026-12-02',
    ])
  })

  it('has its history with the newest on top, in the labels of its steps', () => {
    const moves = [
      { seq: 1, at: '2026-11-29T02:00:00Z', action: 'open', from: null, to: 'draft', version: 1 },
      { seq: 2, at: '2026-11-29T02:41:00Z', action: 'submit', from: 'draft', to: 'unread', version: 2, sent: 1, operator_name: '周某' },
    ]
    expect(postsOf(KIND, moves as never).map((post) => [post.title, post.at, post.who])).toEqual([
      ['提交（第 1 次）', '2026-11-29 10:41', '周某'], ['添加', '2026-11-29 10:00', '系统'],
    ])
  })
})
