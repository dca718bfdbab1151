import { describe, expect, it } from 'vitest'
import { type Process, Machine, settle } from './support/machine'
import { checkBody, photo, startPhone, submitCheck } from './support/phone'
import { type Fault, Server } from './support/server'

const PHOTOS = 2

/** An inspector's check on a phone that is killed after so many writes; whether it lived to the end. */
async function check(machine: Machine, server: Server, writes: number): Promise<boolean> {
  const phone = await startPhone(machine, server)
  phone.process.killAfterWrites(writes)
  const { work } = phone
  const working = (async () => {
    const draft = await work.drafts.create('inspections', checkBody())
    for (let number = 1; number <= PHOTOS; number += 1) {
      const added = await work.attachments.add(photo(number))
      await work.drafts.change(draft.id, (body) => ({
        ...body,
        photos: [...((body['photos'] as string[]) ?? []), added.id],
      }))
    }
    await work.backup.one(draft.id).catch(() => 'later')
    await work.drafts.change(draft.id, (body) => ({ ...body, remark: '已核对' }))
    await work.outbox.submit(draft.id)
    await work.outbox.sendNow()
    return true
  })()
  const ended = await Promise.race([working, phone.process.killed.then(() => false)])
  await gone(phone.process)
  return ended
}

async function gone(process: Process): Promise<void> {
  process.kill()
  await settle()
}

/** The app is opened again; the person goes on with what stands in 信息暂存 and submits it. */
async function goOn(machine: Machine, server: Server): Promise<void> {
  const { work, process } = await startPhone(machine, server)
  await settle()
  for (const draft of await work.drafts.list()) {
    const photos = (await work.attachments.list()).map((file) => file.id)
    await work.drafts.change(draft.id, (body) => ({
      ...body,
      photos: photos.length === PHOTOS ? photos : (body['photos'] ?? []),
      remark: '已核对',
    }))
    await work.outbox.submit(draft.id)
  }
  await work.outbox.sendNow()
  await machine.pass(600_000)
  expect(work.outbox.list()).toEqual([])
  expect(await work.drafts.all()).toEqual([])
  await gone(process)
}

describe.each([
  { atomic: true, name: 'a store that writes several keys at once' },
  { atomic: false, name: 'a store that writes one key after the other' },
])('on $name', ({ atomic }) => {
  it.each<Fault | null>([null, 'cut', 503])(
    'a kill after any write loses nothing and doubles nothing, the server answering %s to every third request',
    async (fault) => {
      let ended = false
      for (let writes = 1; !ended; writes += 1) {
        const machine = new Machine()
        machine.atomic = atomic
        const server = new Server(machine)
        server.faults = Array.from({ length: 60 }, (_, place) => (place % 3 === 2 ? fault : null))
        ended = await check(machine, server, writes)
        const isOnPhone = [...machine.disk.keys()].some((key) => /\/(draft|out)\//.test(key))
        const begun = isOnPhone || server.records.size > 0 ? 1 : 0
        await goOn(machine, server)
        expect([writes, [...server.applied.values()]]).toEqual([writes, begun === 1 ? [1] : []])
        for (const { status, body } of server.records.values()) {
          expect([writes, status, body['remark']]).toEqual([writes, 'submitted', '已核对'])
          for (const id of (body['photos'] as string[] | undefined) ?? []) expect(server.files.has(id)).toBe(true)
          if (ended) expect(body['photos']).toHaveLength(PHOTOS)
        }
        expect(machine.bytes.size).toBeLessThanOrEqual(1)
        expect(writes).toBeLessThan(80)
      }
    },
  )
})

describe('what a crash between two keys of one write left', () => {
  it('an entry that stands both as accepted and as waiting is accepted, and not asked for again', async () => {
    const machine = new Machine()
    const server = new Server(machine)
    const phone = await startPhone(machine, server)
    machine.setOnline(false)
    await submitCheck(phone)
    const [waiting] = [...machine.disk].filter(([key]) => key.includes('/out/'))
    machine.setOnline(true)
    await phone.work.outbox.sendNow()
    await gone(phone.process)
    machine.disk.set(...waiting!)
    const again = await startPhone(machine, server)
    await settle()
    expect(again.work.outbox.list()).toEqual([])
    expect(server.log).toHaveLength(1)
  })

  it('a draft that stands beside its waiting record is no draft any more', async () => {
    const machine = new Machine()
    const server = new Server(machine)
    machine.setOnline(false)
    const phone = await startPhone(machine, server)
    const { id } = await phone.work.drafts.create('inspections', checkBody())
    const [draft] = [...machine.disk].filter(([key]) => key.includes('/draft/'))
    await phone.work.outbox.submit(id)
    await gone(phone.process)
    machine.disk.set(...draft!)
    const again = await startPhone(machine, server)
    expect(await again.work.drafts.all()).toEqual([])
    expect(again.work.outbox.list()).toHaveLength(1)
  })

  it('a record that was taken back to be edited is a draft, and waits no more', async () => {
    const machine = new Machine()
    const server = new Server(machine)
    machine.setOnline(false)
    const phone = await startPhone(machine, server)
    const id = await submitCheck(phone)
    const [waiting] = [...machine.disk].filter(([key]) => key.includes('/out/'))
    await phone.work.outbox.edit(phone.work.outbox.list()[0]!.key)
    await gone(phone.process)
    machine.disk.set(...waiting!)
    const again = await startPhone(machine, server)
    expect((await again.work.drafts.list()).map((one) => one.id)).toEqual([id])
    expect(again.work.outbox.list()).toEqual([])
  })
})

it.each([0, 3_600_000])(
  'a clock that is set back by %i ms neither mixes up what waits with what was sent, nor its order',
  async (back) => {
    const machine = new Machine()
    const server = new Server(machine)
    const first = await startPhone(machine, server)
    await submitCheck(first)
    await settle()
    expect(server.applied.size).toBe(1)
    machine.setOnline(false)
    machine.time -= back
    const ids = [await submitCheck(first), await submitCheck(first)]
    await gone(first.process)
    machine.setOnline(true)
    await goOn(machine, server)
    expect([...server.records.keys()].slice(1)).toEqual(ids)
  },
)

it('a kill while the answer is under way is a repetition when the app is opened again', async () => {
  const machine = new Machine()
  const server = new Server(machine)
  const first = await startPhone(machine, server)
  const draft = await first.work.drafts.create('inspections', checkBody())
  server.answers.set(`PUT /api/v1/inspections/${draft.id}/submission`, () => {
    first.process.kill()
    server.answers.clear()
    server.put(draft.id, {})
    server.records.delete(draft.id)
    return { status: 200, body: {} }
  })
  await first.work.outbox.submit(draft.id)
  await first.process.killed
  await goOn(machine, server)
  expect(server.applied.get(draft.id)).toBe(1)
})
