import { createHash, randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import {
  Api,
  carryOver,
  compileForm,
  type FormBody,
  type FormDefinition,
  isBackedUp,
  Session,
  type SignedIn,
  without,
  Workplace,
} from '../../src'
import { Machine, type Process } from '../support/machine'
import { NodeTransport, readCase, RealServer } from './real'

const given = readCase()
const server = new RealServer(given)
const photos = given.photos.map((path) => new Uint8Array(readFileSync(path)))
const codes = [...given.codes]

let machine: Machine
let transport: NodeTransport

interface Phone {
  process: Process
  session: Session
  api: Api
  work: Workplace
}

beforeAll(() => server.start())
afterAll(() => server.kill())

beforeEach(async () => {
  machine = new Machine()
  machine.time = Date.now()
  transport = new NodeTransport(server.address, machine)
})

async function signedIn(): Promise<SignedIn> {
  const api = new Api(
    { transport, clock: machine.start(transport).platform.clock },
    { token: () => undefined, refused: () => {} },
  )
  const { username, password } = given
  return (await api.send('POST', '/api/v1/sessions', { body: { username, password, operator_name: '王强' } }))
    .body as unknown as SignedIn
}

async function started(answer: SignedIn): Promise<Phone> {
  const process = machine.start(transport)
  const session = new Session(answer)
  const api = new Api(process.platform, session)
  const work = await Workplace.open(process.platform, api, session)
  return { process, session, api, work }
}

/** A check of an enterprise of its own, with two photos, submitted; its id and its photos. */
async function submitted({ work }: Phone, more: FormBody = {}): Promise<{ id: string; photos: string[] }> {
  const uscc = codes.pop()!
  const body = { ...given.body, uscc, org_name: `某某五金第${uscc}店`, ...more }
  const draft = await work.drafts.create('inspections', body)
  const added: string[] = []
  for (const bytes of photos.slice(0, 2)) {
    added.push(
      (
        await work.attachments.add({
          bytes,
          purpose: 'photo',
          name: '门头.jpg',
          mediaType: 'image/jpeg',
          takenBy: '王强',
        })
      ).id,
    )
  }
  await work.drafts.change(draft.id, (now) => ({ ...now, photos: added }))
  await work.outbox.submit(draft.id)
  return { id: draft.id, photos: added }
}

/** Sends until nothing is left; fails with what the server says where it refuses. */
async function sendAll({ work }: Phone): Promise<void> {
  while (work.outbox.list().length > 0) {
    await work.outbox.sendNow()
    expect(
      work.outbox
        .list()
        .filter((entry) => entry.state === 'attention')
        .map((entry) => entry.problem),
    ).toEqual([])
  }
}

async function expectOnServer({ api, session }: Phone, sent: { id: string; photos: string[] }): Promise<void> {
  const { body } = await api.get('/api/v1/inspections/{record_id}', { path: { record_id: sent.id } })
  expect([body.status, body.version, body.operator_name]).toEqual(['submitted', 1, '王强'])
  expect(body.photos).toEqual(sent.photos)
  const history = await api.get('/api/v1/inspections/{record_id}/history', { path: { record_id: sent.id } })
  expect(history.body.items).toHaveLength(1)
  for (const [place, id] of sent.photos.entries()) {
    const answer = await fetch(`${server.address}/api/v1/files/${id}`, {
      headers: { authorization: `Bearer ${session.token()}` },
    })
    expect(digest(new Uint8Array(await answer.arrayBuffer()))).toBe(digest(photos[place]!))
  }
}

async function countOnServer({ api }: Phone): Promise<number> {
  return (await api.get('/api/v1/inspections', { query: { status: 'submitted', page_size: 1 } })).body.total
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

it(`kill -9 of the server in mid-sending, ${given.rounds} rounds: nothing is lost and nothing is doubled`, async () => {
  const answer = await signedIn()
  let phone = await started(answer)
  const before = await countOnServer(phone)
  const all: { id: string; photos: string[] }[] = []
  for (let round = 0; round < given.rounds; round += 1) {
    const requests = randomInt(1, 9)
    let asked = 0
    let killed: Promise<void> | undefined
    transport.before = async (what) => {
      if (!what.startsWith('POST /api/v1/files') && !what.startsWith('PUT')) return
      asked += 1
      // The request goes out, and some milliseconds later there is no server.
      if (asked === requests)
        killed = new Promise((resolve) => setTimeout(() => resolve(server.kill()), randomInt(0, 40)))
    }
    machine.setOnline(false)
    for (let number = 0; number < 3; number += 1) all.push(await submitted(phone))
    machine.setOnline(true)
    await phone.work.outbox.sendNow()
    expect(killed).toBeDefined()
    await killed
    transport.before = async () => {}
    // Every other time the phone is killed as well.
    if (round % 2 === 1) phone.process.kill()
    await server.start()
    if (round % 2 === 1) phone = await started(answer)
    await sendAll(phone)
    for (const sent of all.slice(-3)) await expectOnServer(phone, sent)
    expect(await countOnServer(phone)).toBe(before + all.length)
  }
  for (const sent of all) await expectOnServer(phone, sent)
  expect(machine.bytes.size).toBe(0)
  await phone.work.close()
})

it('two tabs on one store: each record is submitted once', async () => {
  const answer = await signedIn()
  const [first, second] = [await started(answer), await started(answer)]
  machine.setOnline(false)
  const all = []
  for (let number = 0; number < 6; number += 1) all.push(await submitted(number % 2 === 0 ? first : second))
  machine.setOnline(true)
  await Promise.all([sendAll(first), sendAll(second)])
  for (const sent of all) await expectOnServer(first, sent)
  await first.work.close()
  await second.work.close()
})

it('a session that is over keeps what waits, and after signing in again it is sent', async () => {
  const phone = await started(await signedIn())
  machine.setOnline(false)
  const sent = await submitted(phone)
  await phone.api.delete('/api/v1/sessions/current', {})
  const told: string[] = []
  phone.session.watch((event) => told.push(event))
  machine.setOnline(true)
  await phone.work.outbox.sendNow()
  expect(told).toEqual(['sign-in-needed'])
  expect(await phone.work.outbox.state()).toMatchObject({ waiting: 1, attention: 0, pausedBy: 'sign-in' })
  phone.session.begin(await signedIn())
  await sendAll(phone)
  await expectOnServer(phone, sent)
  await phone.work.close()
})

it('a server that answers 503 to every second request, done or not, ends with each record once', async () => {
  const phone = await started(await signedIn())
  machine.setOnline(false)
  const all = [await submitted(phone), await submitted(phone)]
  let number = 0
  const fetched = transport.request.bind(transport)
  transport.request = async (request) => {
    number += 1
    const unavailable = { status: 503, headers: { 'retry-after': '1' }, body: '{"code": "not_ready"}' }
    if (number % 4 === 1) return unavailable
    const answer = await fetched(request)
    return number % 4 === 3 ? unavailable : answer
  }
  machine.setOnline(true)
  await sendAll(phone)
  transport.request = fetched
  for (const sent of all) await expectOnServer(phone, sent)
  await phone.work.close()
})

it('a draft that was saved to the server is submitted from its version, also by a phone that never got the answer', async () => {
  const phone = await started(await signedIn())
  const uscc = codes.pop()!
  const body = { ...given.body, uscc, org_name: `某某五金第${uscc}店` }
  const draft = await phone.work.drafts.create('inspections', body)
  const fetched = transport.request.bind(transport)
  transport.request = async (request) => {
    await fetched(request)
    return { status: 503, headers: {}, body: '' }
  }
  await expect(phone.work.backup.one(draft.id)).rejects.toThrow()
  transport.request = fetched
  await phone.work.drafts.change(draft.id, (now) => ({ ...now, remark: '后来补充' }))
  expect(await phone.work.backup.one(draft.id)).toBe('saved')
  expect(isBackedUp((await phone.work.drafts.get(draft.id))!)).toBe(true)
  await phone.work.outbox.submit(draft.id)
  await sendAll(phone)
  const record = await phone.api.get('/api/v1/inspections/{record_id}', { path: { record_id: draft.id } })
  expect([record.body.status, record.body.version, record.body['remark']]).toEqual(['submitted', 3, '后来补充'])
  await phone.work.close()
})

it.each(['inspections', 'spot-checks'] as const)(
  '%s: a draft goes from one phone to another, and what both changed is chosen',
  async (type) => {
    const answer = await signedIn()
    const first = await started(answer)
    const body =
      type === 'inspections' ? { ...given.body, uscc: codes.pop()! } : { ...given.spotCheck, sheet_no: 'CQ-9001' }
    const { id } = await first.work.drafts.create(type, body)
    expect(await first.work.backup.one(id)).toBe('saved')

    const elsewhere = new Machine()
    elsewhere.time = Date.now()
    const process = elsewhere.start(new NodeTransport(server.address, elsewhere))
    const session = new Session(answer)
    const second = await Workplace.open(process.platform, new Api(process.platform, session), session)
    expect((await second.drafts.elsewhere()).map((one) => one.id)).toContain(id)
    await second.drafts.fetch(type, id)
    expect(await second.backup.one(id)).toBe('saved')
    await second.drafts.change(id, (now) => ({ ...now, org_name: '第二部手机', org_address: '只有第二部改了' }))
    expect(await second.backup.one(id)).toBe('saved')

    await first.work.drafts.change(id, (now) => ({ ...now, org_name: '第一部手机' }))
    expect(await first.work.backup.one(id)).toBe('needs-attention')
    const conflict = (await first.work.drafts.get(id))?.conflict
    expect(conflict?.differences.map((one) => [one.path, one.suggested]).sort()).toEqual([
      ['/org_address', 'theirs'],
      ['/org_name', null],
    ])
    await first.work.drafts.resolve(id, { '/org_name': 'mine' })
    expect(await first.work.backup.one(id)).toBe('saved')
    const record = (await first.api.send('GET', `/api/v1/${type}/${id}`)).body as Record<string, unknown>
    expect([record['org_name'], record['org_address']]).toEqual(['第一部手机', '只有第二部改了'])
    await first.work.drafts.remove(id)
    expect(await first.work.backup.one(id)).toBe('gone')
    expect((await second.drafts.elsewhere()).map((one) => one.id)).not.toContain(id)
    await first.work.close()
    await second.close()
  },
)

it('what a phone exports without a network is imported once, and is a repetition when the phone sends it later', async () => {
  const phone = await started(await signedIn())
  await phone.work.upkeep.now()
  machine.setOnline(false)
  const all = [await submitted(phone), await submitted(phone)]
  const parts = (await phone.work.exportWaiting())!
  const imported = async (): Promise<unknown> => {
    const form = new FormData()
    form.append('file', new Blob([parts[0]!.bytes]), parts[0]!.name)
    const headers = { authorization: `Bearer ${phone.session.token()}` }
    return (await fetch(`${server.address}/api/v1/outbox-imports`, { method: 'POST', headers, body: form })).json()
  }
  expect(await imported()).toMatchObject({ accepted: 2, repeated: 0, refused: [] })
  expect(await imported()).toMatchObject({ accepted: 0, repeated: 2, refused: [] })
  for (const sent of all) await expectOnServer(phone, sent)
  machine.setOnline(true)
  await sendAll(phone)
  for (const sent of all) await expectOnServer(phone, sent)
  await phone.work.close()
})

it('the register of the office comes to the phone, is searched there, and is brought up to date by difference', async () => {
  const phone = await started(await signedIn())
  await phone.work.register.bringUpToDate()
  const listed = await phone.api.get('/api/v1/enterprises', { query: { page_size: 1 } })
  expect(await phone.work.register.size()).toBe(listed.body.total)
  const { items } = await phone.work.register.search(listed.body.items[0]!.name.slice(0, 4))
  expect(items.length).toBeGreaterThan(0)
  const mark = JSON.stringify([...machine.disk].filter(([key]) => key.endsWith('register/mark')))
  await phone.work.register.bringUpToDate()
  expect(JSON.stringify([...machine.disk].filter(([key]) => key.endsWith('register/mark')))).toBe(mark)
  await phone.work.close()
})

it('a new form version meanwhile: the old one is taken while it is accepted, else its answers are carried over', async () => {
  const phone = await started(await signedIn())
  const newest = (await phone.work.kept.refresh('/api/v1/forms/{code}', { code: 'gpc-sales' })).body as FormDefinition
  machine.setOnline(false)
  const accepted = await submitted(phone, { form_version: newest.version })
  await published({ ...newest, version: newest.version + 1 })
  machine.setOnline(true)
  await sendAll(phone)
  await expectOnServer(phone, accepted)

  machine.setOnline(false)
  const refused = await submitted(phone, { form_version: newest.version })
  await published({ ...newest, version: newest.version + 2, accept_until: '2026-01-01' })
  machine.setOnline(true)
  while (phone.work.outbox.list()[0]?.state === 'waiting') await phone.work.outbox.sendNow()
  const [entry] = phone.work.outbox.list()
  expect(entry?.problem?.errors).toMatchObject([{ path: '/form_version', code: 'form_version_expired' }])
  await phone.work.outbox.edit(entry!.key)
  const form = (await phone.work.kept.refresh('/api/v1/forms/{code}', { code: 'gpc-sales' })).body as FormDefinition
  expect(form.version).toBe(newest.version + 2)
  await phone.work.drafts.change(refused.id, (body) => {
    const filled = without(body, 'kind', 'product_code', 'form_version')
    const carried = carryOver(compileForm(form), filled, '2026-11-30')
    expect(carried.lost).toEqual([])
    return { ...body, ...carried.body, form_version: form.version }
  })
  await phone.work.outbox.submit(refused.id)
  await sendAll(phone)
  const { body } = await phone.api.get('/api/v1/inspections/{record_id}', { path: { record_id: refused.id } })
  expect([body.status, body.form_version, body.photos]).toEqual(['submitted', newest.version + 2, refused.photos])
  await phone.work.close()
})

async function published(form: FormDefinition): Promise<void> {
  const path = `${given.dataDir}/gpc-sales.v${form.version}.json`
  writeFileSync(path, JSON.stringify(form))
  await server.manage('forms', 'publish', path)
  // A running server learns of it within seconds, a new one knows.
  await server.kill()
  await server.start()
}
