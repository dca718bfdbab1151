import { beforeEach, describe, expect, it } from 'vitest'
import { duplicatesOf, type KeptEnterprise, nameQuestion, sweepFiles, Unreachable } from '../src'
import { Machine, settle } from './support/machine'
import { checkBody, type Phone, startPhone, submitCheck } from './support/phone'
import { Server } from './support/server'

let machine: Machine
let server: Server
let phone: Phone

beforeEach(async () => {
  machine = new Machine()
  server = new Server(machine)
  phone = await startPhone(machine, server)
  await settle()
})

function enterprise(number: number, more: Partial<KeptEnterprise> = {}): KeptEnterprise {
  return {
    ...{
      uscc: `9132${String(number).padStart(14, '0')}`,
      name: `常州第${number}电缆厂`,
      former_names: [],
      address: '盘溪路 1 号',
    },
    ...{ production_address: null, legal_representative: '张三', region_code: '320404', scale: null },
    ...{ product_codes: ['06'], visited: [], licences: [], visits: [], ...more },
  }
}

interface Page {
  items: KeptEnterprise[]
  gone?: string[]
  next_after: string
  more?: boolean
  reset?: boolean
}

function serve(after: string | null, page: Page): void {
  const path = `GET /api/v1/enterprises/changes${after === null ? '' : `?after=${after}`}`
  server.answers.set(path, () => ({ status: 200, body: { gone: [], more: false, reset: false, ...page } }))
}

describe('the register on the phone', () => {
  it('comes page by page, and later by difference', async () => {
    serve(null, { items: [enterprise(1), enterprise(2)], next_after: 'm1', more: true, reset: true })
    serve('m1', { items: [enterprise(3)], next_after: 'm2' })
    serve('m2', { items: [enterprise(2, { name: '改名后的厂' })], gone: [enterprise(1).uscc], next_after: 'm3' })
    await phone.work.register.bringUpToDate()
    expect(await phone.work.register.size()).toBe(3)
    expect(await phone.work.register.updatedAt()).toBe(machine.time)
    await phone.work.register.bringUpToDate()
    expect(await phone.work.register.size()).toBe(2)
    expect((await phone.work.register.get(enterprise(2).uscc))?.name).toBe('改名后的厂')
  })

  it('goes on with the page at which the network was lost, also after a restart, and is of use meanwhile', async () => {
    serve(null, { items: [enterprise(1)], next_after: 'm1', more: true, reset: true })
    await expect(
      (async () => {
        server.faults = [null, 503]
        await phone.work.register.bringUpToDate()
      })(),
    ).rejects.toThrow(Unreachable)
    expect((await phone.work.register.search('电缆')).total).toBe(1)
    expect(await phone.work.register.updatedAt()).toBeUndefined()
    phone.process.kill()
    serve('m1', { items: [enterprise(2)], next_after: 'm2' })
    server.answers.delete('GET /api/v1/enterprises/changes')
    const again = await startPhone(machine, server)
    await again.work.register.bringUpToDate()
    expect((await again.work.register.search('电缆')).total).toBe(2)
  })

  it('that begins anew takes the place of the former one only when it is whole', async () => {
    serve(null, { items: [enterprise(1), enterprise(2)], next_after: 'm1', reset: true })
    await phone.work.register.bringUpToDate()
    serve('m1', { items: [enterprise(7)], next_after: 'n1', more: true, reset: true })
    server.faults = [null, 503]
    await expect(phone.work.register.bringUpToDate()).rejects.toThrow(Unreachable)
    expect((await phone.work.register.search('电缆')).total).toBe(2)
    serve('n1', { items: [enterprise(8)], next_after: 'n2' })
    await phone.work.register.bringUpToDate()
    expect((await phone.work.register.search('电缆')).items.map((one) => one.name)).toEqual([
      '常州第7电缆厂',
      '常州第8电缆厂',
    ])
    expect([...machine.disk.keys()].filter((key) => key.includes('register/list/1/'))).toEqual([])
  })

  it('whose mark the server does not know begins anew', async () => {
    serve(null, { items: [enterprise(1)], next_after: 'old', reset: true })
    await phone.work.register.bringUpToDate()
    server.answers.set('GET /api/v1/enterprises/changes?after=old', () => ({ status: 422, body: { code: 'invalid' } }))
    serve(null, { items: [enterprise(5)], next_after: 'new', reset: true })
    await phone.work.register.bringUpToDate()
    expect((await phone.work.register.search('电缆')).items.map((one) => one.name)).toEqual(['常州第5电缆厂'])
  })

  it('finds by a fragment of the name from two characters on, by a former name, and by a part of the code', async () => {
    serve(null, {
      items: [enterprise(1), enterprise(12, { name: '盘溪五金', former_names: ['老字号（电）线'] })],
      next_after: 'm',
      reset: true,
    })
    await phone.work.register.bringUpToDate()
    const names = async (typed: string) => (await phone.work.register.search(typed)).items.map((one) => one.name)
    expect(await names('电')).toEqual([])
    expect(await names('电缆')).toEqual(['常州第1电缆厂'])
    expect(await names('字号(电')).toEqual(['盘溪五金'])
    expect(await names('000012')).toEqual(['盘溪五金'])
    expect(await names('五 金')).toEqual(['盘溪五金'])
  })

  it('of 5 000 enterprises lists those first that begin with what was typed, and says how many match', async () => {
    const items = Array.from({ length: 5_000 }, (_, place) =>
      enterprise(place, place === 4_321 ? { name: '第4 起头的厂' } : {}),
    )
    serve(null, { items, next_after: 'm', reset: true })
    await phone.work.register.bringUpToDate()
    const found = await phone.work.register.search('第4')
    expect(found.items).toHaveLength(20)
    expect(found.items[0]?.name).toBe('第4 起头的厂')
    expect(found.total).toBe(1_111)
  })
})

describe('what the server would ask is asked on the spot', () => {
  it('another name than the register has, but not a former one', () => {
    const known = enterprise(1, { name: '常州电缆（集团）厂', former_names: ['常州线厂'] })
    expect(nameQuestion(known, '常州电缆(集团) 厂')).toBeNull()
    expect(nameQuestion(known, '别的厂')).toEqual({ registered: '常州电缆（集团）厂', isFormer: false })
    expect(nameQuestion(known, '常州线厂')).toMatchObject({ isFormer: true })
    expect(nameQuestion(undefined, '别的厂')).toBeNull()
  })

  it('a check of the same enterprise, kind, product and day that waits, was sent, or stands in the register', async () => {
    const kinds = { 'gpc-sales': 'sales' }
    const body = checkBody({ kind: 'gpc-sales' })
    const visit = { record_id: 'v', kind: 'sales', product_code: '06', checked_on: '2026-11-30', office: '天宁区局' }
    const known = enterprise(1, { name: '某某五金经营部', visits: [visit as KeptEnterprise['visits'][number]] })
    const sent = await submitCheck(phone)
    await settle()
    await phone.work.outbox.sendNow()
    machine.setOnline(false)
    const waiting = await submitCheck(phone)
    await submitCheck(phone, 0, { check_date: '2026-11-29' })
    await submitCheck(phone, 0, { uscc: '91320400MA1OTHER99' })
    const state = { enterprise: known, waiting: phone.work.outbox.list(), sent: phone.work.outbox.sent() }
    expect(duplicatesOf('new', body, kinds, state)).toEqual([
      { id: waiting, where: 'waiting', office: null },
      { id: sent, where: 'sent', office: null },
      { id: 'v', where: 'register', office: '天宁区局' },
    ])
    expect(duplicatesOf(waiting, body, kinds, state).map((one) => one.id)).toEqual([sent, 'v'])
    expect(duplicatesOf('new', { ...body, kind: 'gpc-spot-check' }, kinds, state)).toEqual([])
  })
})

describe('kept answers', () => {
  const path = '/api/v1/forms' as const

  it('are there at once, tell their age, and are asked for with their ETag', async () => {
    server.answers.set(`GET ${path}`, ({ headers }) =>
      headers['if-none-match'] === '"1"'
        ? { status: 304 }
        : { status: 200, body: { items: [{ code: 'gpc' }] }, headers: { etag: '"1"' } },
    )
    const begun = machine.time
    await phone.work.kept.get(path)
    await machine.pass(1_000)
    expect(await phone.work.kept.get(path)).toMatchObject({ at: begun, body: { items: [{ code: 'gpc' }] } })
    await machine.pass(3_600_000)
    expect(await phone.work.kept.get(path)).toMatchObject({ at: machine.time, body: { items: [{ code: 'gpc' }] } })
    machine.setOnline(false)
    await machine.pass(36_000_000)
    expect(await phone.work.kept.get(path)).toMatchObject({ at: begun + 3_601_000 })
  })

  it('an added word may be chosen at once, is sent, and is not listed twice later', async () => {
    let items: unknown[] = [{ id: 'x', name: '电线', regulation_type: 'ccc' }]
    server.answers.set('GET /api/v1/products/06/items', () => ({ status: 200, body: { items } }))
    await phone.work.dictionary.entries('items', '06')
    machine.setOnline(false)
    const added = await phone.work.dictionary.add('items', '06', '新型电缆', 'licence')
    expect(await phone.work.dictionary.add('items', '06', '新型 电缆')).toEqual(added)
    expect((await phone.work.dictionary.add('items', '06', '电线')).id).toBe('x')
    expect((await phone.work.dictionary.entries('items', '06')).body.map((one) => one.name)).toEqual([
      '电线',
      '新型电缆',
    ])
    machine.setOnline(true)
    await settle()
    await phone.work.outbox.sendNow()
    expect(server.words.get(`/api/v1/products/06/items/${added.id}`)).toEqual({
      name: '新型电缆',
      regulation_type: 'licence',
    })
    items = [...items, { id: 'y', name: '新型电缆', regulation_type: 'licence' }]
    await machine.pass(3_600_000)
    expect((await phone.work.dictionary.entries('items', '06')).body.map((one) => one.id)).toEqual(['x', 'y'])
  })
})

describe('what a check needs without a network', () => {
  beforeEach(() => {
    const answers: Record<string, unknown> = {
      '/api/v1/products': { items: [{ code: '06', name: '电线电缆', default: true }] },
      '/api/v1/forms': { items: [{ code: 'gpc-sales' }, { code: 'gpc-production' }] },
      '/api/v1/forms/gpc-sales': { code: 'gpc-sales', version: 1 },
      '/api/v1/forms/gpc-production': { code: 'gpc-production', version: 1 },
      '/api/v1/products/06/items': { items: [] },
      '/api/v1/products/06/test-items': { items: [] },
      '/api/v1/outbox-imports/key': { recipient: 'age1…' },
    }
    for (const [path, body] of Object.entries(answers)) server.answers.set(`GET ${path}`, () => ({ status: 200, body }))
    serve(null, { items: [enterprise(1)], next_after: 'm1', reset: true })
    serve('m1', { items: [enterprise(2)], next_after: 'm2' })
    serve('m2', { items: [], next_after: 'm2' })
  })

  it('is fetched for an inspector as soon as the app is opened, and every hour', async () => {
    const { work } = await startPhone(machine, server, 'a', ['inspection.write'])
    await work.upkeep.prepareProduct('06')
    await machine.pass(1)
    machine.setOnline(false)
    expect((await work.kept.get('/api/v1/forms/{code}', { code: 'gpc-production' })).body).toMatchObject({ version: 1 })
    expect((await work.dictionary.entries('test-items', '06')).body).toEqual([])
    expect(await work.register.size()).toBe(1)
    expect(await work.upkeep.exportKey()).toBe('age1…')
    machine.setOnline(true)
    server.answers.set('GET /api/v1/forms/gpc-sales', () => ({ status: 200, body: { code: 'gpc-sales', version: 2 } }))
    await machine.pass(3_600_001)
    expect(await work.register.size()).toBe(2)
    expect((await work.kept.read('/api/v1/forms/{code}', { code: 'gpc-sales' }))?.body).toMatchObject({ version: 2 })
  })

  it('is fetched when the network comes, and a part that is refused leaves the others', async () => {
    machine.setOnline(false)
    const { work } = await startPhone(machine, server, 'a', ['inspection.write'])
    await machine.pass(1)
    expect(server.log).toEqual([])
    server.answers.set('GET /api/v1/forms/gpc-sales', () => ({ status: 404, body: { code: 'not_found' } }))
    machine.setOnline(true)
    await machine.pass(1)
    expect(await work.register.size()).toBe(1)
  })

  it('is not fetched for people who fill in no checks', async () => {
    await startPhone(machine, server)
    await machine.pass(10_000)
    expect(server.log).toEqual([])
  })
})

it('bytes that no record knows are swept when the app starts, all others stay', async () => {
  machine.setOnline(false)
  await submitCheck(phone, 1)
  machine.bytes.set('left-by-a-crash', new Uint8Array(9))
  await sweepFiles(phone.process.platform)
  expect(machine.bytes.has('left-by-a-crash')).toBe(false)
  expect(machine.bytes.size).toBe(1)
})
