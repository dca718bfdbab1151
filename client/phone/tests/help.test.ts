import { describe, expect, it } from 'vitest'

import { chaptersFor, type Reader } from '../src/pages/help/chapters'

const told = (reader: Partial<Reader>, ...verbs: string[]) =>
  chaptersFor({ may: (verb) => verbs.includes(verb), isEnterprise: false, canScan: false, inWeChat: false, ...reader })
const words = (chapters: ReturnType<typeof told>) => JSON.stringify(chapters)

describe('使用帮助', () => {
  it('tells an inspector the way through the day, in the words of the machine', () => {
    const browser = told({}, 'inspection.write')
    expect(browser.map(({ title }) => title)).toEqual(['怎样填报', '没有网络时', '提交以后', '看得清楚'])
    expect(words(browser)).not.toMatch(/扫|小程序/)
    const wechat = told({ canScan: true, inWeChat: true }, 'inspection.write')
    expect(words(wechat)).toContain('扫营业执照上的二维码')
    expect(words(wechat)).toContain('打开小程序')
  })

  it('tells each role its own part', () => {
    expect(told({}, 'accounts.decide', 'statistics.read').map(({ title }) => title)).toEqual(['上级单位', '看得清楚'])
    expect(told({ isEnterprise: true }, 'filings.write').map(({ title }) => title)).toEqual(['企业怎样办理', '看得清楚'])
  })
})
