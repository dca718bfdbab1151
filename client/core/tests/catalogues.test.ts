/** Catalogues that are searched at the server: what was picked stays on the phone. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { Catalogues, compileForm, type FormDefinition, propose, Unreachable, validate, type WordEntry } from '../src'

const VECTORS = new URL('../../../tests/vectors/forms/words.json', import.meta.url)
const { forms, words } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
  forms: Record<string, FormDefinition>
  words: Record<string, (WordEntry & { parent?: string })[]>
}

/** The server with the words of the vectors; `asked` are the calls that reached it. */
function server() {
  const asked: string[] = []
  const state = { online: true }
  const api = {
    async get(path: string, { path: { catalogue }, query }: { path: { catalogue: string }; query: Record<string, string> }) {
      if (!state.online) throw new Unreachable('offline' as never)
      asked.push(`${path} ${catalogue} ${JSON.stringify(query)}`)
      const all = words[catalogue] ?? []
      const found = path.endsWith('/rows')
        ? all.filter((one) => one.parent === query['of'])
        : path.endsWith('/entries')
          ? all.filter((one) => query['codes']!.split(',').includes(one.code))
          : all.filter((one) => one.code.startsWith(query['q']!))
      return { body: { items: found.map((one) => ({ ...one, detail: one.detail ?? {}, valid_to: null })), next_after: null } }
    },
  }
  const kept = new Map<string, unknown>()
  const store = {
    list: async (prefix: string) => [...kept].filter(([key]) => key.startsWith(prefix)),
    write: async (changes: [string, unknown][]) => changes.forEach(([key, value]) => kept.set(key, value)),
  }
  const open = async () => {
    const catalogues = new Catalogues({ store } as never, api as never, 'me/')
    await catalogues.load()
    return catalogues
  }
  return { asked, state, open }
}

const goods = compileForm(forms['goods']!)

describe('a catalogue', () => {
  test('is searched, and what was picked is there after the app was closed, without a network too', async () => {
    const { open, state } = server()
    const first = await open()
    const { items } = await first.search('hs_codes', '84')
    expect(items.map((one) => one.code)).toEqual(['8415101000'])
    await first.keep('hs_codes', items[0]!)
    state.online = false
    const again = await open()
    expect(again.entry('hs_codes', '8415101000')?.name).toBe('空气调节器')
    await expect(again.search('hs_codes', '83')).rejects.toThrow(Unreachable)
  })

  test('brings the rows and units that a body needs, once', async () => {
    const { asked, open } = server()
    const catalogues = await open()
    const body = { products: [{ hs_code: '8415101000' }] }
    expect(await catalogues.prepare(goods, body)).toBe(true)
    expect(await catalogues.prepare(goods, body)).toBe(false)
    expect(asked).toHaveLength(2)
    expect(propose(goods, body, catalogues).body).toEqual({ products: [{
      hs_code: '8415101000', hs_name: '空气调节器', hs_unit: '台',
      features: [{ feature: 'use', question: '用途' }, { feature: 'kind', question: '类型' }],
    }] })
  })

  test('that is not here refuses nothing and leaves what was filled in', async () => {
    const { open, state } = server()
    state.online = false
    const catalogues = await open()
    const body = { products: [{ hs_code: '9999999999', hs_name: '旧名' }] }
    expect(await catalogues.prepare(goods, body)).toBe(false)
    const { faults, values } = validate(goods, body, 'submit', '2026-11-20', catalogues)
    expect(faults).toEqual([])
    expect(values['products']).toEqual(body.products)
  })
})
