/** Engines of phones differ: some have no tables of Unicode, and none reads every expression of the server. */
import { afterEach, describe, expect, test, vi } from 'vitest'

import { compileForm, validate } from '../../src/forms'

const TODAY = '2026-11-20'

function withPattern(pattern: string): (text: string) => string[] {
  const form = compileForm({
    code: 'pattern', version: 1, title: '编号', kind: 'test',
    sections: [{ code: 'a', title: '一', items: [{ field: 'code', text: '编号', type: 'text', pattern }] }],
  })
  return (text) => validate(form, { code: text }, 'submit', TODAY).faults.map((fault) => fault.code)
}

describe('patterns', () => {
  test.each(['^\\p{Han}+$', '^(?i)a$', '^[[:alpha:]]$', '^[a-z&&[^b]]$', '^\\Aa\\z$', '^\\x{41}$', '^[a-z--b]$', '^(?P<n>a)$'])(
    '%s, which JavaScript reads otherwise, refuses nothing',
    (pattern) => expect(withPattern(pattern)('§')).toEqual([]),
  )

  test.each([
    ['^a\\-\\_b$', 'a-_b', 'ab'],
    ['^(\\([\\u4e00-\\u9fa5]\\))?XK[0-9]{2}$', '(苏)XK06', '苏XK06'],
    ['^.$', '𬭊', '一二'],
    ['^(?:[A-Z]{2}|[0-9]{3})$', '123', '12'],
  ])('%s takes %s and refuses %s', (pattern, good, bad) => {
    expect(withPattern(pattern)(good)).toEqual([])
    expect(withPattern(pattern)(bad)).toEqual(['bad_format'])
  })
})

describe('without tables of Unicode', () => {
  afterEach(() => vi.restoreAllMocks())

  test('what is typed in full width is still read', () => {
    vi.spyOn(String.prototype, 'normalize').mockImplementation(function (this: string) {
      return String(this)
    })
    const form = compileForm({
      code: 'wide', version: 1, title: '全角', kind: 'test', sections: [{ code: 'a', title: '一', items: [
        { field: 'mobile', text: '手机', type: 'mobile' }, { field: 'amount', text: '数量', type: 'number', scale: 1 },
        { field: 'uscc', text: '信用代码', type: 'uscc' }, { field: 'org_name', text: '名称', type: 'text', required: true },
      ] }],
    })
    const typed = { mobile: '１３８　００００　０００１', amount: '７.5', uscc: '９１320400ｍＡ1TEX0012', org_name: '某某厂' }
    const { faults, values } = validate(form, typed, 'submit', TODAY)
    expect(faults).toEqual([])
    expect(values).toMatchObject({ mobile: '13800000001', amount: '7.5', uscc: '91320400MA1TEX0012' })
  })
})
