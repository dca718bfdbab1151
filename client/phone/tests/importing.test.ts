import { describe, expect, it } from 'vitest'

import { factsOf, faultOf, partOf, resultOf, summaryOf, titleOf, type Imported } from '../src/pages/outbox/importing'

const RECORD = { id: 'a', what: '检查', title: '常州某某电缆有限公司', day: '2026-11-20', photos: 2 }
const IMPORTED = {
  accepted: 1, repeated: 1, refused: [{ id: 'c', code: 'invalid', message: '请填写企业名称' }],
  records: [
    { id: 'a', result: 'accepted', message: null }, { id: 'b', result: 'repeated', message: null },
    { id: 'c', result: 'refused', message: '请填写企业名称' },
  ],
} as unknown as Imported

describe('what a colleague exported, in words', () => {
  it('takes only the file that a phone exports', () => {
    const file = (name: string, length = 10) => ({ name, bytes: { length } })
    expect(faultOf(file('gongpin-20261121-1000-a-1of1.age'))).toBeNull()
    expect(faultOf(file('名录.xlsx'))).toContain('导出未发送')
    expect(faultOf(file('a.age', 21 * 1024 * 1024))).toContain('20 MB')
  })

  it('lists what comes in, also where a record names nobody', () => {
    expect([titleOf(RECORD), factsOf(RECORD)]).toEqual(['常州某某电缆有限公司', '检查 · 2026-11-20 · 照片等 2 个'])
    expect([titleOf({ ...RECORD, title: null }), factsOf({ ...RECORD, day: null, photos: 0 })]).toEqual(['未填企业名称', '检查'])
  })

  it('says that an export has several files', () => {
    expect(partOf({ part: 1, parts: 1 })).toBeNull()
    expect(partOf({ part: 2, parts: 3 })).toContain('第 2 个')
  })

  it('says what became of each record, with the reason of one that was refused', () => {
    expect(resultOf({ id: 'a' }, undefined)).toBeNull()
    expect(['a', 'b', 'c'].map((id) => resultOf({ id }, IMPORTED)?.tag)).toEqual(['✓ 已导入', '已有，未重复', '未导入'])
    expect(resultOf({ id: 'c' }, IMPORTED)?.message).toBe('请填写企业名称')
    expect(summaryOf(IMPORTED)).toBe('已导入 1 条，1 条此前已有，1 条未导入，原因见下。')
  })
})
