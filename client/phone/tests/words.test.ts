import { afterEach, describe, expect, it, vi } from 'vitest'

import { announce, announced } from '../src/announce'
import { tileWords } from '../src/pages/home/tile-words'

describe('What the live region says', () => {
  afterEach(() => vi.useRealTimers())

  it('is a sentence for a while, not for the rest of the page', () => {
    vi.useFakeTimers()
    announce('记为问题')
    vi.advanceTimersByTime(100)
    expect(announced.value).toBe('记为问题')
    vi.advanceTimersByTime(60_000)
    expect(announced.value).toBe('')
  })

  it('is the later sentence for its whole time, and the same one twice', () => {
    vi.useFakeTimers()
    announce('还有 2 处')
    vi.advanceTimersByTime(19_000)
    announce('还有 2 处')
    expect(announced.value).toBe('')
    vi.advanceTimersByTime(19_000)
    expect(announced.value).toBe('还有 2 处')
  })
})

describe('The tile of a kind of filing', () => {
  it('shows first what tells two of one name apart', () => {
    expect(tileWords('工业产品质量安全隐患自查表（生产企业填报）')).toEqual({
      title: '工业产品质量安全隐患自查表', lines: ['生产企业填报'], mark: '生',
    })
    expect(tileWords('工业产品质量安全隐患自查表（销售经营者填报）').mark).toBe('销')
    expect(tileWords('数据申报')).toEqual({ title: '数据申报', lines: [], mark: '数' })
  })
})
