import { describe, expect, it } from 'vitest'

import { barsOf, count, filterOf, filterWords, percent, tableOf, tilesOf, type Progress } from '../src/pages/statistics/figures'

const FIGURES = {
  planned: 12, planned_visited: 7, progress: 7 / 12, checked: 6, unable: 1, sales_checked: 3, sales_unable: 0,
  problem_enterprises: 5, disposal_done: 2, disposal_in_progress: 3, without_disposal: 1, spot_enterprises: 0,
  spot_batches: 0, spot_without_sample: 0, failed_batches: 0, failed_rate: null,
}
const PROGRESS: Progress = {
  rows: [
    { ...FIGURES, region_code: '320402', region_name: '天宁区', planned: 4, planned_visited: 3, progress: 0.75, own_office: false },
    { ...FIGURES, region_code: '320400', region_name: '常州市（本级）', planned: 0, planned_visited: 0, progress: null, own_office: true },
  ],
  total: { ...FIGURES, region_code: '320400', region_name: '常州市' },
}

describe('figures of 工作统计', () => {
  it('say – where there is nothing, and never 0 for it', () => {
    expect([percent(null), count(null), percent(0), count(0)]).toEqual(['–', '–', '0.0%', '0'])
  })

  it('are rounded to a tenth of a percent', () => {
    expect(percent(7 / 12)).toBe('58.3%')
    expect(percent(1)).toBe('100.0%')
  })

  it('stand in four tiles with what they are a part of', () => {
    const tiles = tilesOf('checks', PROGRESS.total, {})
    expect(tiles.map((tile) => [tile.name, tile.figure, tile.note])).toEqual([
      ['检查进度', '58.3%', '应检 12，已到 7'],
      ['发现问题企业', '5', '处置完成 2'],
      ['办理中', '3', '没有处置 1'],
      ['还没去的', '5', '点开看名单'],
    ])
    expect(tilesOf('spot-checks', PROGRESS.total, {}).map((tile) => tile.figure)).toEqual(['0', '0', '0', '–'])
  })

  it('name nobody as not visited where nothing was planned', () => {
    const nothing = { ...PROGRESS.total, planned: 0, planned_visited: 0, progress: null }
    expect(tilesOf('checks', nothing, {}).map((tile) => tile.figure)).toEqual(['–', '5', '3', '–'])
  })

  it('lead from a region to its own figures and from 本级 to its records, with the same filter', () => {
    const [county, own] = barsOf('checks', PROGRESS.rows, { product: '06', from: '2026-04-20' })
    expect(county).toMatchObject({ name: '天宁区', percent: '75.0%', of: '3/4' })
    expect(county!.leads).toContain('/drill/region?product=06&region=320402&from=2026-04-20')
    expect(own).toMatchObject({ name: '本级', share: null, percent: '–', of: '' })
    expect(own!.leads).toBe('/pages/statistics/drill/records?type=inspections&product_code=06&from=2026-04-20&own_office=true')
  })

  it('stand in a table whose last line is the total', () => {
    const { heads, lines } = tableOf('checks', PROGRESS, {})
    expect(heads.slice(0, 3)).toEqual(['应检', '已到', '进度'])
    expect(lines.map((line) => [line.name, ...line.cells.slice(0, 3)])).toEqual([
      ['天宁区', '4', '3', '75.0%'],
      ['本级', '0', '0', '–'],
      ['合计', '12', '7', '58.3%'],
    ])
    expect(lines.at(-1)!.leads).toBeUndefined()
  })

  it('are filtered by product and days, which a page finds again in its address', () => {
    expect(filterWords({ from: '2026-04-20' }, '电线电缆')).toBe('电线电缆 · 2026-04-20 至今天')
    expect(filterWords({}, undefined)).toBe('全部产品 · 全部日期')
    expect(filterOf({ product: '06', own: 'true' })).toEqual({
      product: '06', region: undefined, from: undefined, to: undefined, own: true,
    })
  })
})
