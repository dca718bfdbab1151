import { beforeEach, describe, expect, it } from 'vitest'
import { type Draft, isBackedUp, StorageFull } from '../src'
import { Machine, settle } from './support/machine'
import { checkBody, type Phone, photo, startPhone } from './support/phone'
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

async function draftOf(id: string): Promise<Draft> {
  return (await phone.work.drafts.get(id))!
}

describe('a draft', () => {
  it('is on the disk when the change resolves, and there when the app is opened again', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    await phone.work.drafts.change(id, (body) => ({ ...body, remark: '三楼' }), { answered: 4, total: 17 })
    phone.process.kill()
    const again = await startPhone(machine, server)
    expect((await again.work.drafts.list())[0]).toMatchObject({
      id,
      body: { remark: '三楼' },
      filled: { answered: 4, total: 17 },
    })
  })

  it('keeps what two tabs typed into different fields', async () => {
    const other = await startPhone(machine, server)
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    await Promise.all([
      phone.work.drafts.change(id, (body) => ({ ...body, remark: '三楼' })),
      other.work.drafts.change(id, (body) => ({ ...body, escort: '丙' })),
    ])
    expect((await draftOf(id)).body).toMatchObject({ remark: '三楼', escort: '丙' })
  })

  it('that finds no room says so, and the former text stays', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody({ remark: '原文' }))
    machine.limit = machine.used + 10
    await expect(phone.work.drafts.change(id, (body) => ({ ...body, remark: '很长'.repeat(50) }))).rejects.toThrow(
      StorageFull,
    )
    expect((await draftOf(id)).body['remark']).toBe('原文')
  })

  it('goes to the server by itself, photos first, a few seconds after the last change', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    const file = await phone.work.attachments.add(photo(1))
    await phone.work.drafts.change(id, (body) => ({ ...body, photos: [file.id] }))
    await machine.pass(4_000)
    expect(server.log).toEqual([])
    await machine.pass(2_000)
    expect(server.log).toEqual([`POST /api/v1/files ${file.id}`, `PUT /api/v1/inspections/${id}`])
    expect(isBackedUp(await draftOf(id))).toBe(true)
    await machine.pass(600_000)
    expect(server.log).toHaveLength(2)
  })

  it.each(['cut', 'timeout', 503] as const)(
    'whose save got no answer (%s) is saved once, and goes on from there',
    async (fault) => {
      const { id } = await phone.work.drafts.create('inspections', checkBody())
      server.faults = [fault]
      await machine.pass(5_000)
      await phone.work.drafts.change(id, (body) => ({ ...body, remark: '后来写的' }))
      await machine.pass(60_000)
      expect(server.records.get(id)).toMatchObject({ version: 2, body: { remark: '后来写的' } })
      expect(isBackedUp(await draftOf(id))).toBe(true)
      expect((await draftOf(id)).conflict).toBeNull()
    },
  )

  it('submitted while its save got no answer is still one record, without a conflict', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    server.faults = ['cut']
    await machine.pass(5_000)
    await phone.work.outbox.submit(id)
    await settle()
    await phone.work.outbox.sendNow()
    expect(phone.work.outbox.list()).toEqual([])
    expect(server.records.get(id)).toMatchObject({ status: 'submitted', version: 2 })
  })

  it('that the server refuses is not sent again until it is changed', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    server.answers.set(`PUT /api/v1/inspections/${id}`, () => ({
      status: 422,
      body: { code: 'invalid', title: '内容有误' },
    }))
    await machine.pass(600_000)
    expect(server.log).toHaveLength(1)
    expect((await draftOf(id)).refused?.problem.code).toBe('invalid')
    server.answers.clear()
    await phone.work.drafts.change(id, (body) => ({ ...body, remark: '改好了' }))
    await machine.pass(10_000)
    expect(await draftOf(id)).toMatchObject({ refused: null, server: { version: 1 } })
  })

  it('deleted without a network is gone at once here, and later on the server', async () => {
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    await machine.pass(6_000)
    expect(server.records.size).toBe(1)
    machine.setOnline(false)
    await phone.work.drafts.remove(id)
    expect(await phone.work.drafts.list()).toEqual([])
    phone.process.kill()
    machine.setOnline(true)
    const again = await startPhone(machine, server)
    await machine.pass(10_000)
    expect(server.records.size).toBe(0)
    expect(await again.work.drafts.all()).toEqual([])
  })
})

describe('a draft whose save got no answer, and that another phone has changed since', () => {
  let id: string

  beforeEach(async () => {
    id = (await phone.work.drafts.create('inspections', checkBody())).id
    server.faults = ['cut']
    await machine.pass(5_000)
    server.put(id, { body: { ...checkBody(), remark: '另一部手机' } })
  })

  it('shows both sides instead of overwriting the other', async () => {
    await phone.work.drafts.change(id, (body) => ({ ...body, remark: '这部手机' }))
    await machine.pass(10_000)
    expect((await draftOf(id)).conflict?.differences).toMatchObject([
      { path: '/remark', mine: '这部手机', theirs: '另一部手机' },
    ])
    expect(server.records.get(id)?.body['remark']).toBe('另一部手机')
  })

  it('is not submitted over the other', async () => {
    await phone.work.outbox.submit(id)
    await settle()
    await phone.work.outbox.sendNow()
    expect(phone.work.outbox.list()[0]?.problem?.code).toBe('stale_version')
    expect(server.records.get(id)).toMatchObject({ status: 'draft', body: { remark: '另一部手机' } })
  })
})

describe('a draft that another phone has changed', () => {
  let id: string

  beforeEach(async () => {
    const draft = await phone.work.drafts.create('inspections', checkBody({ remark: '原文', escort: '丙' }))
    id = draft.id
    await machine.pass(6_000)
    server.put(id, {
      body: { ...checkBody(), remark: '另一部手机', escort: '丙', answers: { '1.1': 'yes', '2.1': 'no' } },
    })
    await phone.work.drafts.change(id, (body) => ({ ...body, remark: '这部手机', escort: '丁' }))
    await machine.pass(6_000)
  })

  it('shows both sides field by field, and which side alone has changed', async () => {
    const { conflict } = await draftOf(id)
    expect(conflict?.version).toBe(2)
    expect(conflict?.differences.sort((one, other) => (one.path < other.path ? -1 : 1))).toEqual([
      { path: '/answers/2.1', mine: undefined, theirs: 'no', suggested: 'theirs' },
      { path: '/escort', mine: '丁', theirs: '丙', suggested: 'mine' },
      { path: '/remark', mine: '这部手机', theirs: '另一部手机', suggested: null },
    ])
  })

  it('is saved as the person chose, and can be submitted then', async () => {
    await expect(phone.work.outbox.submit(id)).rejects.toThrow()
    await phone.work.drafts.resolve(id, { '/remark': 'theirs' })
    await phone.work.outbox.submit(id)
    await settle()
    await phone.work.outbox.sendNow()
    expect(server.records.get(id)).toMatchObject({
      status: 'submitted',
      body: { remark: '另一部手机', escort: '丁', answers: { '1.1': 'yes', '2.1': 'no' } },
    })
  })

  it('submitted from here meanwhile comes back, and shows both sides as well', async () => {
    await phone.work.drafts.resolve(id, {})
    server.put(id, { body: { ...checkBody(), remark: '又改了' } })
    await phone.work.outbox.submit(id)
    await settle()
    await phone.work.outbox.sendNow()
    const [entry] = phone.work.outbox.list()
    expect(entry?.problem?.code).toBe('stale_version')
    await phone.work.outbox.edit(entry!.key)
    await phone.work.backup.one(id)
    expect((await draftOf(id)).conflict?.differences.map((one) => one.path)).toContain('/remark')
  })
})

it('a draft of another phone is listed, brought here, and gone on with from its version', async () => {
  server.put('there', { body: { ...checkBody(), remark: '另一部手机' } })
  const row = { id: 'there', org_name: '某某五金经营部', product_code: '06', updated_at: '2026-11-30T01:00:00Z' }
  const lists = { inspections: [row], 'spot-checks': [] }
  for (const [type, items] of Object.entries(lists)) {
    server.answers.set(`GET /api/v1/${type}?status=draft&page_size=100`, () => ({ status: 200, body: { items } }))
  }
  expect(await phone.work.drafts.elsewhere()).toMatchObject([
    { id: 'there', recordType: 'inspections', title: '某某五金经营部' },
  ])
  await phone.work.drafts.fetch('inspections', 'there')
  expect(await phone.work.drafts.elsewhere()).toEqual([])
  await phone.work.drafts.change('there', (body) => ({ ...body, escort: '丙' }))
  await machine.pass(6_000)
  expect(server.records.get('there')).toMatchObject({ version: 2, body: { remark: '另一部手机', escort: '丙' } })
})

it('says that the room is short before it is full', async () => {
  for (let number = 0; number < 3; number += 1) await phone.work.attachments.add(photo(number))
  machine.limit = machine.used + 2 * 1024 * 1024 + 1000 * 25
  expect(await phone.work.storage()).toMatchObject({ level: 'plenty' })
  machine.limit = machine.used + 2 * 1024 * 1024 + 1000 * 12
  expect(await phone.work.storage()).toMatchObject({ level: 'low', photosLeft: 12 })
  machine.limit = machine.used
  expect(await phone.work.storage()).toMatchObject({ level: 'full', photosLeft: 0 })
})

it('a photo that finds no room leaves nothing behind', async () => {
  machine.limit = machine.used + 1010
  await expect(phone.work.attachments.add(photo(1))).rejects.toThrow(StorageFull)
  expect([machine.bytes.size, await phone.work.attachments.list()]).toEqual([0, []])
})

it('a full phone goes on sending, and has room again', async () => {
  machine.setOnline(false)
  const { id } = await phone.work.drafts.create('inspections', checkBody())
  const file = await phone.work.attachments.add(photo(1))
  await phone.work.drafts.change(id, (body) => ({ ...body, photos: [file.id] }))
  await phone.work.outbox.submit(id)
  machine.limit = machine.used
  machine.setOnline(true)
  await settle()
  await phone.work.outbox.sendNow()
  expect(server.applied.get(id)).toBe(1)
  expect(phone.work.outbox.list()).toEqual([])
  expect(machine.bytes.size).toBe(0)
})
