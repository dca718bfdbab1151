import { expect, it } from 'vitest'

import { entriesOf } from '../src/pages/home/form-order'

const form = (code: string, kind: string) => ({ code, kind, title: code, version: 1, accept_until: null }) as never

it('the manual\'s forms stand first, in its order, and filings and law enforcement papers are no entries', () => {
  const { first, further } = entriesOf([
    form('ccc-production', 'ccc_production'), form('gpc-sales', 'sales'), form('gpc-spot-check', 'spot_check'),
    form('rectification', 'filing'), form('le-site-record', 'enforcement'), form('gpc-production', 'production'), form('own-sales', 'sales'),
  ])
  expect(first.map(({ code }) => code)).toEqual(['gpc-production', 'gpc-sales', 'own-sales', 'gpc-spot-check'])
  expect(further.map(({ code }) => code)).toEqual(['ccc-production'])
})
