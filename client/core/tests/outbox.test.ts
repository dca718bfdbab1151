import { beforeEach, describe, expect, it } from 'vitest'
import { remedies } from '../src'
import { Machine, settle } from './support/machine'
import { type Phone, startPhone, submitCheck } from './support/phone'
import { type Fault, Server } from './support/server'

let machine: Machine
let server: Server
let phone: Phone

beforeEach(async () => {
  machine = new Machine()
  server = new Server(machine)
  phone = await startPhone(machine, server)
  await settle()
})

async function sentAtOnce(): Promise<void> {
  await settle()
  await phone.work.outbox.sendNow()
}

describe('what waits', () => {
  it('is sent as soon as it is submitted, photos first', async () => {
    const id = await submitCheck(phone, 2)
    await sentAtOnce()
    expect(server.log.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'POST /api/v1/files',
      'POST /api/v1/files',
      `PUT /api/v1/inspections/${id}/submission`,
    ])
    expect(server.records.get(id)?.status).toBe('submitted')
    expect(phone.work.outbox.list()).toEqual([])
    expect(phone.work.outbox.sent().map((entry) => entry.id)).toEqual([id])
  })

  it('leaves no draft and no bytes of photos behind once it is accepted', async () => {
    await submitCheck(phone, 2)
    await sentAtOnce()
    expect(await phone.work.drafts.all()).toEqual([])
    expect(machine.bytes.size).toBe(0)
  })

  it('waits without a network, and is sent in its order when the network is back', async () => {
    machine.setOnline(false)
    const ids = [await submitCheck(phone), await submitCheck(phone, 1), await submitCheck(phone)]
    await settle()
    expect(await phone.work.outbox.state()).toMatchObject({
      waiting: 3,
      pausedBy: 'offline',
      photos: { sent: 0, total: 1 },
    })
    machine.setOnline(true)
    await sentAtOnce()
    expect([...server.records.keys()]).toEqual(ids)
  })

  it('立即发送 resolves when everything is sent, also while a try is ending that looked before the network came', async () => {
    for (let turns = 0; turns < 30; turns += 1) {
      machine.setOnline(false)
      const id = await submitCheck(phone)
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      machine.setOnline(true)
      await phone.work.outbox.sendNow()
      expect([turns, server.applied.get(id)]).toEqual([turns, 1])
    }
  })

  it('tells count, age of the oldest and the last success', async () => {
    machine.setOnline(false)
    const begun = machine.time
    await submitCheck(phone)
    await machine.pass(60_000)
    await submitCheck(phone)
    const told: unknown[] = []
    phone.work.outbox.watch((state) => told.push([state.waiting, state.oldest, state.lastSuccess]))
    await settle()
    expect(told.at(-1)).toEqual([2, begun, null])
    machine.setOnline(true)
    await sentAtOnce()
    expect(told.at(-1)).toEqual([0, null, machine.time])
  })
})

it('what is submitted while the outbox is read anew, as when another tab has written, is not forgotten', async () => {
  machine.setOnline(false)
  const key = `${phone.session.scope}out/`
  for (let turns = 0; turns < 60; turns += 1) {
    const submitting = submitCheck(phone)
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    phone.process.storeListeners.forEach((listener) => listener([key]))
    await submitting
    await settle()
    expect(phone.work.outbox.list()).toHaveLength(turns + 1)
  }
})

it('submitting takes no more reading when thousands wait', async () => {
  machine.setOnline(false)
  const reads = async () => {
    const before = phone.process.values
    await submitCheck(phone)
    await settle()
    return phone.process.values - before
  }
  const first = await reads()
  for (let number = 0; number < 50; number += 1) await submitCheck(phone)
  expect(await reads()).toBe(first)
})

describe('an answer that does not come', () => {
  it.each<Fault>(['cut', 'timeout', 'offline', 503, 500])(
    '%s: is asked for again in the same words, and counts once',
    async (fault) => {
      for (const place of [0, 1, 2]) {
        const lost: (Fault | null)[] = [null, null, null]
        lost[place] = fault
        server.faults = lost
        const id = await submitCheck(phone, 2)
        await settle()
        await machine.pass(10_000)
        expect(server.applied.get(id)).toBe(1)
        expect(phone.work.outbox.list()).toEqual([])
      }
    },
  )

  it('is never called a failure: it waits, and is tried again ever more rarely, at most every five minutes', async () => {
    server.faults = Array.from({ length: 40 }, () => 503)
    await submitCheck(phone)
    const waits: number[] = []
    for (let round = 0; round < 14; round += 1) {
      await settle()
      const state = await phone.work.outbox.state()
      expect(state).toMatchObject({ waiting: 1, attention: 0, pausedBy: 'no-answer' })
      waits.push(state.nextTryAt! - machine.time)
      await machine.pass(waits.at(-1)!)
    }
    expect(waits[0]).toBeGreaterThanOrEqual(1_000)
    expect(waits[0]).toBeLessThanOrEqual(2_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(300_000)
    expect(Math.min(...waits.slice(9))).toBeGreaterThanOrEqual(150_000)
  })

  it('waits as long as Retry-After says', async () => {
    server.faults = [{ status: 429, body: { code: 'too_many_requests' }, headers: { 'retry-after': '90' } }]
    await submitCheck(phone)
    await settle()
    expect((await phone.work.outbox.state()).nextTryAt).toBe(machine.time + 90_000)
    await machine.pass(89_000)
    expect(server.records.size).toBe(0)
    await machine.pass(1_000)
    expect(server.records.size).toBe(1)
  })

  it('a record that makes the server fail does not hold up the others', async () => {
    machine.setOnline(false)
    const bad = await submitCheck(phone)
    const good = await submitCheck(phone)
    server.answers.set(`PUT /api/v1/inspections/${bad}/submission`, () => ({
      status: 500,
      body: { code: 'internal_error' },
    }))
    machine.setOnline(true)
    await settle()
    await machine.pass(10_000)
    expect(server.records.get(good)?.status).toBe('submitted')
    expect(await phone.work.outbox.state()).toMatchObject({ waiting: 1, attention: 0 })
  })

  it('the sign-in page of a foreign Wi-Fi is no success', async () => {
    machine.setOnline(false)
    const id = await submitCheck(phone)
    server.answers.set(`PUT /api/v1/inspections/${id}/submission`, () => ({ status: 200 }))
    machine.setOnline(true)
    await sentAtOnce()
    expect(await phone.work.outbox.state()).toMatchObject({ waiting: 1, attention: 0 })
  })

  it('cannot be edited while it is open whether the server has accepted it', async () => {
    server.faults = ['cut']
    await submitCheck(phone)
    await settle()
    const [entry] = phone.work.outbox.list()
    expect(entry?.asked).toBe(true)
    expect(await phone.work.outbox.edit(entry!.key)).toBeUndefined()
    expect(await phone.work.outbox.discard(entry!.key)).toBe(false)
  })
})

describe('a refusal', () => {
  it('422 comes back with its faults, is edited, and is sent again under the same id', async () => {
    const id = await submitCheck(phone, 1, { org_name: undefined })
    await sentAtOnce()
    const [entry] = phone.work.outbox.list()
    expect(entry).toMatchObject({ state: 'attention', problem: { errors: [{ path: '/org_name' }] } })
    expect(remedies(entry!)[0]).toBe('edit')
    const draft = await phone.work.outbox.edit(entry!.key)
    expect(draft?.problem?.errors[0]?.message).toBe('请填写企业名称')
    await phone.work.drafts.change(id, (body) => ({ ...body, org_name: '某某五金经营部' }))
    await phone.work.outbox.submit(id)
    await sentAtOnce()
    expect(server.applied.get(id)).toBe(1)
    expect(server.files.size).toBe(1)
  })

  it('of a record that is no longer ours goes on as another record, with everything that was filled in', async () => {
    const id = await submitCheck(phone, 1)
    server.answers.set(`PUT /api/v1/inspections/${id}/submission`, () => ({
      status: 409,
      body: { code: 'handed_over', title: '该记录已移交' },
    }))
    await sentAtOnce()
    const [entry] = phone.work.outbox.list()
    expect(remedies(entry!)[0]).toBe('save_as_new')
    const draft = await phone.work.outbox.saveAsNew(entry!.key)
    expect(draft!.id).not.toBe(id)
    expect(draft!.body).toEqual(entry!.draft!.body)
    expect(draft!.server).toBeNull()
    expect(phone.work.outbox.list()).toEqual([])
    await phone.work.outbox.submit(draft!.id)
    await sentAtOnce()
    expect(server.records.get(draft!.id)?.status).toBe('submitted')
  })

  it('a duplicate is sent when the person confirms it', async () => {
    server.duplicates = true
    const first = await submitCheck(phone)
    const second = await submitCheck(phone)
    await sentAtOnce()
    const [entry] = phone.work.outbox.list()
    expect(entry).toMatchObject({ id: second, problem: { code: 'duplicate_check', body: { duplicates: [first] } } })
    expect(remedies(entry!)[0]).toBe('confirm_duplicate')
    await phone.work.outbox.confirm(entry!.key, 'confirm_duplicate')
    await sentAtOnce()
    expect(server.applied.get(second)).toBe(1)
  })

  it('another name is sent when the person confirms it', async () => {
    server.register.set('91320400MA1TEX0012', '某某商行')
    const id = await submitCheck(phone)
    await sentAtOnce()
    const [entry] = phone.work.outbox.list()
    expect(remedies(entry!)[0]).toBe('confirm_name')
    await phone.work.outbox.confirm(entry!.key, 'confirm_name')
    await sentAtOnce()
    expect(server.applied.get(id)).toBe(1)
  })

  it('does not hold up what waits behind it', async () => {
    machine.setOnline(false)
    await submitCheck(phone, 0, { org_name: undefined })
    const good = await submitCheck(phone)
    machine.setOnline(true)
    await sentAtOnce()
    expect(server.applied.get(good)).toBe(1)
    expect(await phone.work.outbox.state()).toMatchObject({ waiting: 0, attention: 1 })
  })

  it('of a photo says which photo', async () => {
    server.faults = [{ status: 413, body: { code: 'payload_too_large', title: '照片不能超过 20M' } }]
    await submitCheck(phone, 1)
    await sentAtOnce()
    expect(phone.work.outbox.list()[0]?.problem).toMatchObject({
      code: 'payload_too_large',
      errors: [{ path: '/photos/0' }],
    })
  })

  it('photos that the server has swept meanwhile are sent again by themselves', async () => {
    server.faults = [null, 503]
    const id = await submitCheck(phone, 1)
    await settle()
    server.files.clear()
    await machine.pass(5_000)
    expect(server.applied.get(id)).toBe(1)
    expect(server.files.size).toBe(1)
  })

  it('a photo that is lost is said, and nothing is sent without it', async () => {
    machine.setOnline(false)
    const id = await submitCheck(phone, 1)
    machine.bytes.clear()
    machine.setOnline(true)
    await sentAtOnce()
    expect(phone.work.outbox.list()[0]?.problem?.code).toBe('file_missing')
    expect(server.records.has(id)).toBe(false)
  })

  it('a record that another phone has submitted under this id is one record, whatever this one says', async () => {
    machine.setOnline(false)
    const id = await submitCheck(phone)
    server.put(id, { status: 'submitted', body: { kind: 'sales', org_name: '另一家' } })
    machine.setOnline(true)
    await sentAtOnce()
    expect(phone.work.outbox.list()[0]?.problem?.code).toBe('already_submitted')
    expect(remedies(phone.work.outbox.list()[0]!)).toEqual(['save_as_new', 'discard'])
  })

  it('a record that the server has already with the same words is done', async () => {
    machine.setOnline(false)
    const id = await submitCheck(phone)
    server.put(id, { status: 'submitted', body: { ...phone.work.outbox.list()[0]!.call.body } })
    machine.setOnline(true)
    await sentAtOnce()
    expect(phone.work.outbox.list()).toEqual([])
    expect(phone.work.outbox.sent()[0]?.id).toBe(id)
  })
})

describe('disposals and added words', () => {
  it('a second disposal of a record goes on from the version that the first one made', async () => {
    const id = await submitCheck(phone)
    await sentAtOnce()
    machine.setOnline(false)
    for (const disposals of [{ '7.1': 'in_progress' }, { '7.1': 'done' }]) {
      const call = {
        method: 'PUT' as const,
        path: `/api/v1/inspections/${id}/disposals`,
        body: { disposals, version: 1 },
      }
      await phone.work.outbox.add({ type: 'disposals', id, recordType: 'inspections', call })
    }
    machine.setOnline(true)
    await sentAtOnce()
    expect(phone.work.outbox.list()).toEqual([])
    expect(server.records.get(id)).toMatchObject({ version: 3, body: { disposals: { '7.1': 'done' } } })
  })

  it('a disposal waits for the one before it about the same record, whatever that one waits for', async () => {
    const id = await submitCheck(phone)
    await sentAtOnce()
    machine.setOnline(false)
    const path = `/api/v1/inspections/${id}/disposals`
    for (const disposals of [{ '7.1': 'in_progress' }, { '7.1': 'done' }]) {
      const call = { method: 'PUT' as const, path, body: { disposals, version: 1 } }
      await phone.work.outbox.add({ type: 'disposals', id, recordType: 'inspections', call })
    }
    const bodies: unknown[] = []
    server.answers.set(`PUT ${path}`, ({ body }) => {
      bodies.push(JSON.parse(body!).disposals['7.1'])
      return { status: 500, body: { code: 'internal_error' } }
    })
    machine.setOnline(true)
    await settle()
    await machine.pass(10_000)
    expect(new Set(bodies)).toEqual(new Set(['in_progress']))
  })

  it('a check waits for the word that it names, others do not', async () => {
    machine.setOnline(false)
    const word = '0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10'
    const path = `/api/v1/products/06/items/${word}`
    await phone.work.outbox.add({
      type: 'dictionary',
      id: word,
      call: { method: 'PUT', path, body: { name: '新产品' } },
    })
    const naming = await submitCheck(phone, 0, { products: [word] })
    const other = await submitCheck(phone)
    server.answers.set(`PUT ${path}`, () => ({ status: 422, body: { code: 'invalid', title: '…' } }))
    machine.setOnline(true)
    await sentAtOnce()
    expect([...server.records.keys()]).toEqual([other])
    server.answers.clear()
    await phone.work.outbox.retry(phone.work.outbox.list()[0]!.key)
    await sentAtOnce()
    expect([...server.records.keys()]).toEqual([other, naming])
  })
})
