import { describe, expect, it } from 'vitest'

import { chipsOf, faultOfDays, filtersOf, forType, groupsOf, without } from '../../src/pages/records/filters'

const NAMES = {
  kinds: [{ value: 'production', label: '生产企业检查' }],
  products: [{ value: '06', label: '电线电缆' }],
  regions: [],
}

describe('the filters of 信息查看', () => {
  it('stand in the sheet only where there is something to choose', () => {
    expect(groupsOf('inspections', NAMES).map(({ name }) => name)).toEqual([
      'problem', 'disposal', 'unable', 'kind', 'product_code', 'own_office', 'status',
    ])
  })

  it('are those of spot checks on their tab', () => {
    expect(groupsOf('spot-checks', NAMES).map(({ name }) => name)).toEqual([
      'conclusion', 'sampled', 'product_code', 'own_office', 'status',
    ])
  })

  it('say on their chip what they mean without the group', () => {
    const chips = chipsOf({ disposal: 'in_progress', product_code: '06' }, groupsOf('inspections', NAMES))
    expect(chips.map(({ text }) => text)).toEqual(['处置办理中', '电线电缆'])
  })

  it('of an address that the sheet does not offer are named all the same, and can be removed', () => {
    const regions = [{ value: '320404', label: '钟楼区' }]
    const deeper = { value: '320402', label: '天宁区' }
    for (const offered of [NAMES, { ...NAMES, regions }]) {
      const groups = groupsOf('inspections', offered)
      expect(chipsOf({ region: '320402' }, groups, deeper)).toEqual([{ name: 'region', text: '天宁区' }])
      expect(chipsOf({ region: '320402' }, groups)).toEqual([{ name: 'region', text: '所选地区' }])
    }
    expect(chipsOf({ region: '320404' }, groupsOf('inspections', { ...NAMES, regions }), deeper)).toEqual([
      { name: 'region', text: '钟楼区' },
    ])
  })

  it('make one chip of a single day, which takes both ends away', () => {
    const day = { from: '2026-11-27', to: '2026-11-27' }
    expect(chipsOf(day, []).map(({ text }) => text)).toEqual(['2026-11-27'])
    expect(without({ ...day, problem: true }, 'from')).toEqual({ problem: true })
  })

  it('lose on the other tab what its list does not know', () => {
    expect(forType({ problem: true, from: '2026-11-01', product_code: '06' }, 'spot-checks')).toEqual({
      from: '2026-11-01',
      product_code: '06',
    })
  })

  it('come out of an address with their types, without what is no filter', () => {
    expect(filtersOf({ type: 'inspections', problem: 'false', product_code: '06', title: 'x' })).toEqual({
      problem: false,
      product_code: '06',
    })
  })

  it('refuse a day that is none, and an end before the beginning', () => {
    expect(faultOfDays({ from: '27.11.2026' })).toContain('2026-11-27')
    expect(faultOfDays({ from: '2026-11-02', to: '2026-11-01' })).toContain('不能早于')
    expect(faultOfDays({ from: '2026-11-01', to: '2026-11-01' })).toBeNull()
  })
})
