import { beforeEach, expect, it } from 'vitest'
import { Api, scopeOf, Session, Workplace } from '../src'
import { Machine, settle } from './support/machine'
import { checkBody, person, startPhone, submitCheck } from './support/phone'
import { Server } from './support/server'

let machine: Machine
let server: Server

beforeEach(() => {
  machine = new Machine()
  server = new Server(machine)
})

it('an expired session asks for sign-in once, keeps everything, and the sending goes on after it', async () => {
  const phone = await startPhone(machine, server)
  const told: string[] = []
  phone.session.watch((event) => told.push(event))
  machine.setOnline(false)
  const ids = [await submitCheck(phone, 1), await submitCheck(phone)]
  server.validTokens.delete('token-a')
  machine.setOnline(true)
  await settle()
  await phone.work.outbox.sendNow()
  await machine.pass(3_600_000)
  expect(told).toEqual(['sign-in-needed'])
  expect(await phone.work.outbox.state()).toMatchObject({ waiting: 2, attention: 0, pausedBy: 'sign-in' })
  server.validTokens.set('token-new', 'a')
  phone.session.begin({ token: 'token-new', user: person('a') })
  await settle()
  await phone.work.outbox.sendNow()
  expect([...server.records.keys()]).toEqual(ids)
})

it('a sign-in during the very request that is refused starts the sending again', async () => {
  const phone = await startPhone(machine, server)
  machine.setOnline(false)
  const id = await submitCheck(phone)
  const request = server.request.bind(server)
  server.request = async (asked) => {
    server.request = request
    server.validTokens = new Map([['token-new', 'a']])
    phone.session.begin({ token: 'token-new', user: person('a') })
    return request(asked)
  }
  machine.setOnline(true)
  await settle()
  await settle()
  expect(server.records.get(id)?.status).toBe('submitted')
})

it('where the session is renewed at a refusal, the photo and the record that met it are sent on, and nobody is asked', async () => {
  const process = machine.start(server)
  const session = new Session({ token: 'token-a', user: person('a') })
  const told: string[] = []
  session.watch((event) => told.push(event))
  const api = new Api(process.platform, {
    token: () => session.token(),
    refused: (token) => session.refused(token),
    instead: async () => {
      server.validTokens.set('token-new', 'a')
      session.begin({ token: 'token-new', user: person('a') })
      return 'token-new'
    },
  })
  const phone = { process, session, api, work: await Workplace.open(process.platform, api, session) }
  machine.setOnline(false)
  const id = await submitCheck(phone, 1)
  server.validTokens.delete('token-a')
  machine.setOnline(true)
  await settle()
  await phone.work.outbox.sendNow()
  expect(server.records.get(id)?.status).toBe('submitted')
  expect(server.files.size).toBe(1)
  expect(server.applied.get(id)).toBe(1)
  expect(told).not.toContain('sign-in-needed')
  expect(await phone.work.outbox.state()).toMatchObject({ waiting: 0, attention: 0, pausedBy: null })
})

it('a late refusal of an old token does not end the new session', async () => {
  const phone = await startPhone(machine, server)
  phone.session.begin({ token: 'token-new', user: person('a') })
  phone.session.refused('token-a')
  expect(phone.session.signInNeeded).toBe(false)
})

it('another person on the same phone neither sees nor sends what waits, and is told how many', async () => {
  const first = await startPhone(machine, server)
  machine.setOnline(false)
  const id = await submitCheck(first, 1)
  const draft = await first.work.drafts.create('inspections', checkBody())
  await first.work.close()
  first.process.kill()

  machine.setOnline(true)
  const second = await startPhone(machine, server, 'b')
  await settle()
  await second.work.outbox.sendNow()
  expect(second.work.outbox.list()).toEqual([])
  expect(await second.work.drafts.list()).toEqual([])
  expect(await second.work.attachments.list()).toEqual([])
  expect(await second.work.outbox.state()).toMatchObject({ waiting: 0, others: 1 })
  expect(server.records.size).toBe(0)
  await second.work.close()

  const again = await startPhone(machine, server)
  await settle()
  await again.work.outbox.sendNow()
  expect(server.records.get(id)?.owner).toBe('a')
  expect((await again.work.drafts.list()).map((one) => one.id)).toEqual([draft.id])
})

it('when another person signs in while a record is being sent, no request of it goes out under their name', async () => {
  const phone = await startPhone(machine, server)
  machine.setOnline(false)
  await submitCheck(phone, 2)
  await submitCheck(phone)
  machine.setOnline(true)
  const upload = server.upload.bind(server)
  server.upload = async (request) => {
    phone.session.begin({ token: 'token-b', user: person('b') })
    return upload(request)
  }
  await settle()
  await phone.work.outbox.sendNow()
  expect([...server.records.values()].map((record) => record.owner)).toEqual(['a'])
  expect(phone.work.outbox.list()).toHaveLength(1)
})

it('two people who share a user name are two', () => {
  const user = person('a')
  expect(scopeOf({ ...user, operator_name: '王强' })).not.toBe(scopeOf({ ...user, operator_name: '李敏' }))
  expect(scopeOf({ ...user, operator_name: ' 王 强' })).toBe(scopeOf({ ...user, operator_name: '王强' }))
})

it('two tabs on one store send each record once', async () => {
  const [first, second] = [await startPhone(machine, server), await startPhone(machine, server)]
  machine.setOnline(false)
  const ids: string[] = []
  for (let number = 0; number < 10; number += 1) ids.push(await submitCheck(number % 2 === 0 ? first : second, 1))
  machine.setOnline(true)
  await Promise.all([first.work.outbox.sendNow(), second.work.outbox.sendNow()])
  await settle()
  expect([...server.applied.values()]).toEqual(ids.map(() => 1))
  expect(server.log.filter((line) => line.startsWith('PUT'))).toHaveLength(10)
  expect([first.work.outbox.list(), second.work.outbox.list()]).toEqual([[], []])
})

it('a draft that is submitted from two tabs is one entry', async () => {
  const [first, second] = [await startPhone(machine, server), await startPhone(machine, server)]
  machine.setOnline(false)
  const draft = await first.work.drafts.create('inspections', checkBody())
  const entries = await Promise.all([first.work.outbox.submit(draft.id), second.work.outbox.submit(draft.id)])
  expect(entries[0].key).toBe(entries[1].key)
})

it('a tab that dies while it sends leaves the rest to the other', async () => {
  const [first, second] = [await startPhone(machine, server), await startPhone(machine, server)]
  machine.setOnline(false)
  for (let number = 0; number < 4; number += 1) await submitCheck(first)
  await settle()
  first.process.killAfterWrites(3)
  machine.setOnline(true)
  await first.process.killed
  await settle()
  await second.work.outbox.sendNow()
  expect([...server.applied.values()]).toEqual([1, 1, 1, 1])
})
