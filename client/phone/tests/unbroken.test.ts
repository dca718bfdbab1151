import { describe, expect, it } from 'vitest'

import { runsOf } from '@/unbroken'

const whole = (text: string) => runsOf(text).filter((run) => run.whole).map((run) => run.text)

describe('numbers in one piece', () => {
  it('keeps a permit number together with the province before it', () => {
    expect(whole('数据申报 (苏)XK06-001-90001')).toEqual(['(苏)XK06-001-90001'])
  })
  it('keeps a day together with its time', () => {
    expect(whole('天宁区市场监督管理局 · 2026-12-01 10:54 修改')).toEqual(['2026-12-01 10:54'])
  })
  it('lets what is wider than a small screen break', () => {
    expect(whole('编号 01a22f87-836e-7dac-9fdf-54a3306da025')).toEqual([])
  })
  it('loses nothing', () => {
    for (const text of ['', '没有', '2026-12-01', '自 2026-01-02 至 2026-03-04 止']) {
      expect(runsOf(text).map((run) => run.text).join('')).toBe(text)
    }
  })
})
