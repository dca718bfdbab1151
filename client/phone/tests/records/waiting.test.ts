import type { Entry } from '@gongpin/core'
import { compileForm, type FormDefinition } from '@gongpin/core'
import { describe, expect, it } from 'vitest'

import { deletion, type DraftItem, itemsOf, matching } from '../../src/pages/drafts/items'
import { fileAt, sentenceFor, waysOf } from '../../src/pages/outbox/attention'
import { sidesOf } from '../../src/pages/outbox/sides'
import { pauseText, photosOf, sizeText, stateText } from '../../src/pages/outbox/waiting'

function refused(code: string, status: number, more: object = {}, entry: object = {}): Entry {
  const problem = { status, code, title: '服务器的话', errors: [], body: {}, ...more }
  return { type: 'submission', draft: {}, files: [], call: { body: {} }, problem, ...entry } as unknown as Entry
}

describe('a waiting record that needs the person says what is wrong and what to do', () => {
  it('a duplicate names the check that stands already, and looking comes before sending', () => {
    const entry = refused('duplicate_check', 409, { body: { duplicates: ['d1'] } })
    const known = { who: '王强', when: '09:12', kind: '销售企业检查' }
    expect(sentenceFor(entry, known)).toBe('这家企业同一天已有一条销售企业检查（王强，09:12）。请先查看；确需再报，请点“仍然提交”。')
    expect(waysOf(entry)).toEqual({ first: ['look_at_duplicate', 'confirm_duplicate'], more: ['edit', 'discard'] })
  })

  it('another name in the register is said with that name, and confirming stands at the right', () => {
    const entry = refused('name_differs', 409, { body: { registered: [{ path: '/org_name', name: '某某五金经营部' }] } })
    expect(sentenceFor(entry)).toContain('信用代码登记的企业是“某某五金经营部”')
    expect(sentenceFor(entry)).toContain('仍按填写的提交')
    expect(waysOf(entry).first).toEqual(['edit', 'confirm_name'])
  })

  it('a stale draft is compared, a stale disposal is looked at', () => {
    expect(waysOf(refused('stale_version', 409)).first).toEqual(['compare'])
    const disposal = refused('stale_version', 409, {}, { type: 'disposals', draft: null })
    expect(waysOf(disposal).first).toEqual(['look'])
    expect(sentenceFor(disposal)).toContain('再更新处置')
  })

  it('one that was submitted elsewhere can be looked at, and what was typed is not lost', () => {
    expect(waysOf(refused('already_submitted', 409)).first).toEqual(['look', 'save_as_new'])
  })

  it('faults are counted, a single one is said', () => {
    const fault = { path: '/org_name', code: 'required', message: '请填写企业名称' }
    expect(sentenceFor(refused('invalid', 422, { errors: [fault] }))).toBe('请填写企业名称')
    expect(sentenceFor(refused('invalid', 422, { errors: [fault, fault, fault] }))).toContain('还有 3 处')
    expect(waysOf(refused('invalid', 422, { errors: [fault] })).first[0]).toBe('edit')
  })

  it('a photo that is too large is found by its place in the body', () => {
    const errors = [{ path: '/photos/1', code: 'too_large', message: '' }]
    const entry = refused('payload_too_large', 413, { errors }, { files: ['a', 'b'], call: { body: { photos: ['a', 'b'] } } })
    expect(fileAt(entry)).toBe('b')
  })

  it('deleting never stands among the first buttons', () => {
    for (const code of ['duplicate_check', 'name_differs', 'stale_version', 'already_submitted', 'handed_over', 'forbidden', 'invalid']) {
      expect(waysOf(refused(code, code === 'forbidden' ? 403 : 409)).first).not.toContain('discard')
    }
  })
})

describe('what waits, in words', () => {
  const files = new Map([
    ['a', { size: 1_500_000, uploadedAt: 1 }],
    ['b', { size: 2_500_000, uploadedAt: null }],
  ]) as never

  it('photos are counted by what is sent, and bytes by what is left', () => {
    expect(photosOf({ files: ['a', 'b'] }, files)).toEqual({ text: '照片 1/2', left: 2_500_000 })
    expect(photosOf({ files: [] }, files).text).toBe('无照片')
    expect([sizeText(2_500_000), sizeText(300)]).toEqual(['2.4 MB', '1 KB'])
  })

  it('a server that does not answer is never called a failure', () => {
    expect(pauseText({ pausedBy: 'no-answer', waiting: 2 })).toContain('不用重填')
    expect(pauseText({ pausedBy: 'sign-in', waiting: 3 })).toBe('登录已过期。请重新登录，3 条待发送的记录会接着发送。')
    expect(stateText({ pausedBy: null, sending: false }, { attempts: 1, asked: true }, true)).toBe('正在重新确认')
    expect(stateText({ pausedBy: 'offline', sending: false }, { attempts: 0, asked: false }, true)).toBe('等待网络')
  })
})

describe('drafts of this phone and of the server', () => {
  const draft = (id: string, name: string, more: object = {}) =>
    ({ id, recordType: 'inspections', body: { org_name: name, kind: 'sales' }, filled: { answered: 8, total: 12 }, changedAt: 5, conflict: null, problem: null, refused: null, ...more }) as never
  const elsewhere = (id: string, updatedAt: string) =>
    ({ id, recordType: 'inspections', title: '另一家', kind: 'sales', productCode: '06', updatedAt })

  it('are one list, the last changed first, each once', () => {
    const items = itemsOf([draft('1', '甲')], [elsewhere('1', '2026-11-29T00:00:00Z'), elsewhere('2', '2026-11-29T00:00:00Z')], () => 0, () => true)
    expect(items.map(({ id, here }) => [id, here])).toEqual([['2', false], ['1', true]])
  })

  it('say why somebody has to look at them', () => {
    const problem = { errors: [{ message: '请填写企业名称' }], title: 't' }
    const [item] = itemsOf([draft('1', '甲', { problem })], [], () => 0, () => false)
    expect([item!.needs, item!.sentence]).toEqual(['faults', '请填写企业名称'])
  })

  it('are found by a part of the name, whatever its width', () => {
    const items = itemsOf([draft('1', 'ＡＢ线缆'), draft('2', '丙')], [], () => 0, () => true)
    expect(matching(items, 'inspections', 'ab').map(({ id }) => id)).toEqual(['1'])
  })

  it('are deleted after a question that says what is lost', () => {
    const item = { title: '某某线缆有限公司', filled: { answered: 8, total: 12 }, photos: 2 } as DraftItem
    expect(deletion(item)).toEqual({ title: '删除“某某线缆有限公司”的暂存记录？', text: '已填 8 项、照片 2 张，删除后不能恢复。' })
    expect(deletion({ ...item, filled: null, photos: 0 }).text).toBe('删除后不能恢复。')
  })
})

describe('two sides of a draft', () => {
  it('stand in the order of the form with answers in words', () => {
    const form = compileForm({
      code: 'x', version: 1, title: 'x', kind: 'sales',
      sections: [{ code: 'a', title: 'a', items: [
        { field: 'org_name', text: '企业名称', type: 'text' },
        { no: '1.1', text: '是否健全台账', type: 'choice', options: [{ value: 'yes', label: '是' }, { value: 'no', label: '否' }] },
      ] }],
    } as unknown as FormDefinition)
    const sides = sidesOf(form, [
      { path: '/photos', mine: ['p'], theirs: undefined, suggested: null },
      { path: '/answers/1.1', mine: 'yes', theirs: 'no', suggested: 'theirs' },
      { path: '/org_name', mine: '甲', theirs: undefined, suggested: null },
    ], new Map())
    expect(sides.map(({ label, mine, theirs }) => [label, mine, theirs])).toEqual([
      ['企业名称', '甲', ''], ['1.1 是否健全台账', '是', '否'], ['照片', '1 项', ''],
    ])
  })
})
