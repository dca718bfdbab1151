import { compileForm, type FormDefinition } from '@gongpin/core'
import { describe, expect, it } from 'vitest'

import { compared } from '../../src/pages/record/compare'
import { movesOf } from '../../src/pages/record/history'
import { stepsOf } from '../../src/pages/record/steps'
import { openDisposals } from '../../src/pages/record/values'
import { sectionsOf } from '../../src/shown-answers'
import { tagsOf } from '../../src/pages/records/tags'
import type { RecordMove, WholeRecord } from '../../src/pages/records/types'

const FORM = compileForm({
  code: 'a-new-form',
  version: 1,
  title: '新表',
  kind: 'production',
  sections: [
    {
      code: 'basics',
      title: '基本信息',
      items: [
        { field: 'org_name', text: '企业名称', type: 'text', required: true },
        { field: 'products', text: '生产产品', type: 'multi', options_from: 'product_items' },
        { field: 'remark', text: '备注', type: 'text' },
      ],
    },
    {
      code: '1',
      title: '证照',
      items: [
        {
          no: '1.1', text: '是否依法取得执照', type: 'choice', problem_when: ['no'],
          options: [{ value: 'yes', label: '是' }, { value: 'no', label: '否' }],
        },
        { field: 'site_photos', text: '现场照片', type: 'photos' },
        {
          field: 'items', text: '检验项目', type: 'group',
          items: [
            { field: 'item_id', text: '项目', type: 'choice', options_from: 'test_items' },
            { field: 'verdict', text: '判定', type: 'choice', options: [{ value: 'pass', label: '合格' }, { value: 'fail', label: '不合格' }] },
          ],
        },
      ],
    },
    { code: '7', title: '处置', items: [{ no: '7.1', text: '是否责令改正', type: 'disposal' }, { no: '7.2', text: '是否立案查处', type: 'disposal' }] },
  ],
} as unknown as FormDefinition)

const RECORD = {
  org_name: '某某线缆有限公司',
  products: ['p1', 'p2'],
  product_names: ['架空绞线', '塑料绝缘控制电缆'],
  answers: { '1.1': 'no' },
  disposals: { '7.1': 'in_progress', '7.2': 'na' },
  site_photos: ['f1', 'f2'],
  items: [{ item_id: 'i1', item_name: '标志', verdict: 'fail' }],
} as unknown as WholeRecord

describe('a record is shown as its form declares', () => {
  const sections = sectionsOf(FORM, RECORD, new Map())

  it('with answers in words, names of the day beside ids, and nothing that was not answered', () => {
    expect(sections[0]!.items.map(({ label, text }) => [label, text])).toEqual([
      ['企业名称', '某某线缆有限公司'],
      ['生产产品', '架空绞线、塑料绝缘控制电缆'],
    ])
  })

  it('marks an answer that is a problem, and names the files of an item', () => {
    const [answer, photos] = sections[1]!.items
    expect([answer!.no, answer!.text, answer!.problem]).toEqual(['1.1', '否', true])
    expect(photos!.files).toEqual(['f1', 'f2'])
  })

  it('shows the rows of a group cell by cell', () => {
    const group = sections[1]!.items[2]!
    expect(group.rows.map((row) => row.map(({ label, text }) => `${label}：${text}`))).toEqual([['项目：标志', '判定：不合格']])
  })

  it('names the disposals that are still under way', () => {
    expect(openDisposals(FORM, RECORD)).toEqual([{ name: '7.1', label: '7.1 是否责令改正' }])
  })
})

describe('two versions beside each other', () => {
  it('tell each place that changed, appeared or went; what went stands behind', () => {
    const before = sectionsOf(FORM, { ...RECORD, remark: '旧' } as WholeRecord, new Map())
    const corrected = { ...RECORD, answers: { '1.1': 'yes' }, site_photos: ['f1'], disposals: { '7.1': 'na', '7.2': 'na' } }
    const after = sectionsOf(FORM, corrected as unknown as WholeRecord, new Map())
    const changed = compared(before, after).filter(({ same }) => !same)
    expect(changed.map(({ label, before: old, after: now }) => [label, old, now])).toEqual([
      ['1.1 是否依法取得执照', '否', '是'],
      ['现场照片', '2 个文件（…f1、…f2）', '1 个文件（…f1）'],
      ['备注', '旧', ''],
      ['7.1 是否责令改正', '办理中', ''],
      ['7.2 是否立案查处', '不适用', ''],
    ])
  })
})

describe('the one next step of a record', () => {
  it('is the disposal that is due, and corrections stand in 更多', () => {
    expect(stepsOf({ returned: null }, ['dispose', 'correct', 'void'])).toEqual({ next: 'dispose', more: ['correct', 'print', 'share', 'void'] })
  })

  it('never has 作废 among what is tapped often: it stands last', () => {
    expect(stepsOf({ returned: null }, ['void', 'correct']).more.at(-1)).toBe('void')
  })

  it('is the correction where the record was returned', () => {
    const returned = { at: '', by: '', office: '', opinion: '' }
    expect(stepsOf({ returned }, ['dispose', 'correct']).next).toBe('correct')
  })

  it('is the decision where an application waits for this person', () => {
    expect(stepsOf({ returned: null }, ['correct', 'void'], { decides: true }).next).toBe('decide')
  })

  it('is none for who can only read, and sharing is left', () => {
    expect(stepsOf({ returned: null }, [])).toEqual({ next: null, more: ['print', 'share'] })
  })
})

describe('tags', () => {
  const plain = {
    status: 'submitted', returned: null, corrected: null, name_differs: false, disposal_state: 'none', problems_found: false,
  } as const

  it('say nothing of a check without problems', () => {
    expect(tagsOf(plain)).toEqual([])
  })

  it('call a disposal under way my turn only where it is', () => {
    const due = { ...plain, problems_found: true, disposal_state: 'in_progress' } as const
    expect(tagsOf(due)[0]).toEqual({ kind: 'mine', text: '处置办理中' })
    expect(tagsOf(due, { mine: false })[0]!.kind).toBe('other')
  })

  it('of a voided record say that alone', () => {
    expect(tagsOf({ ...plain, status: 'voided', problems_found: true }).map(({ text }) => text)).toEqual(['已作废'])
  })
})

describe('the history of a record', () => {
  it('stands with the newest on top and says what changed and why', () => {
    const moves = [
      { seq: 1, at: '2026-11-27T01:00:00Z', action: 'submit', operator_name: '李敏', office: '江北区局' },
      { seq: 2, at: '2026-11-28T01:00:00Z', action: 'dispose', actor: 'jiangbei', office: '江北区局', reason: '已办结', disposals: { '7.1': ['in_progress', 'done'] } },
    ] as unknown as RecordMove[]
    const [newest, oldest] = movesOf(moves, new Map([['7.1', '7.1 是否责令改正']]))
    expect(newest).toMatchObject({ title: '更新处置', who: 'jiangbei · 江北区局', more: ['7.1 是否责令改正：办理中 → 是', '原因：已办结'] })
    expect(oldest).toMatchObject({ title: '提交', who: '李敏 · 江北区局', more: [] })
  })
})

describe('the history of a record', () => {
  const move = (seq: number, action: string, operator_name: string) =>
    ({ seq, action, at: `2026-11-20T0${seq}:00:00Z`, operator_name, actor: 'a', office: '某局' }) as unknown as RecordMove

  it('tells what one person saved in a row once, at the time of the last', () => {
    const moves = [move(1, 'save', '李敏'), move(2, 'save', '李敏'), move(3, 'save', '王强'), move(4, 'save', '王强'), move(5, 'submit', '王强')]
    expect(movesOf(moves, new Map()).map(({ key, title, who }) => `${key} ${title} ${who}`)).toEqual([
      '5 提交 王强 · 某局', '4 暂存 王强 · 某局', '2 暂存 李敏 · 某局',
    ])
  })
})
