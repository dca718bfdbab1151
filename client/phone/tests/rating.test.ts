import { Problem } from '@gongpin/core'
import { describe, expect, it } from 'vitest'

import { faultsOf, mobileDigits, placed, tokenOf, type Rating, type RatingForm } from '../src/pages/rating/rules'

const FORM = {
  levels: [
    { level: 5, label: '非常满意', bad: false, tags: [] },
    { level: 1, label: '非常不满意', bad: true, tags: [{ code: 108, text: '服务态度差效率低' }] },
  ],
  comment_limit: 500, least_reason: 5, name_limit: 50, sms_code_required: false,
} as unknown as RatingForm
const GOOD: Rating = {
  level: 5, tags: [], comment: '', anonymous: false, rater_name: '周某', mobile: '13800006001', sms_code: '', captcha: '',
}

describe('a rating before it is sent', () => {
  it('needs a level, a name and a mobile number', () => {
    expect(faultsOf(FORM, { ...GOOD, level: null, rater_name: ' ', mobile: '138' })).toEqual({
      level: '请选择评价等级', rater_name: '请填写姓名或单位名称', mobile: '手机号不正确，请填写11位大陆手机号',
    })
    expect(faultsOf(FORM, GOOD)).toEqual({})
  })

  it('needs a tag and a reason where it is a bad one', () => {
    expect(Object.keys(faultsOf(FORM, { ...GOOD, level: 1, comment: '太慢' }))).toEqual(['tags', 'comment'])
    expect(faultsOf(FORM, { ...GOOD, level: 1, tags: [108], comment: '等了两个小时' })).toEqual({})
  })

  it('needs no name where the rater stays anonymous', () => {
    expect(faultsOf(FORM, { ...GOOD, anonymous: true, rater_name: '' })).toEqual({})
  })

  it('takes a mobile number with blanks, dashes and the prefix of the country', () => {
    expect(['+86 138-0000 6001', '１３８００００６００１', '008613800006001'].map(mobileDigits)).toEqual(Array(3).fill('13800006001'))
  })

  it('says faults of the server at their places, and others above the form', () => {
    const refused = new Problem(422, 'invalid', '填写有误', [{ path: '/comment', code: 'too_long', message: '太长' }])
    expect(placed(refused)).toEqual({ faults: { comment: '太长' }, whole: null })
    const busy = new Problem(403, 'captcha_required', '请填写验证码后再提交')
    expect(placed(busy).faults.captcha).toBe('请填写验证码后再提交')
    expect(placed(new Problem(429, 'too_many_requests', '请稍后再试')).whole).toBe('请稍后再试')
  })

  it('finds its code in the address that was scanned', () => {
    expect(tokenOf('https://pj.example.gov.cn/r/AbC-123?large=1')).toBe('AbC-123')
    expect(tokenOf('AbC-123')).toBe('AbC-123')
  })
})
