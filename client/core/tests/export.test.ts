import { bech32 } from '@scure/base'
import { beforeEach, expect, it } from 'vitest'
import { encryptTo } from '../src/outbox/age'
import { Machine, settle } from './support/machine'
import { checkBody, type Phone, startPhone, submitCheck } from './support/phone'
import { Server } from './support/server'

const MIB = 1024 * 1024
const RECIPIENT = bech32.encodeFromBytes('age', new Uint8Array(32).fill(9))

let machine: Machine
let server: Server
let phone: Phone

beforeEach(async () => {
  machine = new Machine()
  server = new Server(machine)
  server.answers.set('GET /api/v1/outbox-imports/key', () => ({ status: 200, body: { recipient: RECIPIENT } }))
  phone = await startPhone(machine, server, 'a', ['inspection.write'])
  await machine.pass(1)
  machine.setOnline(false)
})

it('what waits is exported without a network, by the key that was fetched before, and goes on waiting', async () => {
  await submitCheck(phone, 2)
  await submitCheck(phone)
  const parts = await phone.work.exportWaiting()
  expect(parts?.map((part) => part.name)).toEqual(['gongpin-20261130-0100-user-a-1of1.age'])
  expect(new TextDecoder().decode(parts![0]!.bytes.subarray(0, 30))).toMatch(/^age-encryption.org\/v1\n-> X255/)
  expect(phone.work.outbox.list()).toHaveLength(2)
})

it('is divided into parts that an upload can carry', async () => {
  for (let number = 0; number < 5; number += 1) {
    const draft = await phone.work.drafts.create('inspections', checkBody())
    const bytes = new Uint8Array(7 * MIB).fill(number)
    const said = { purpose: 'photo', name: '门头.jpg', mediaType: 'image/jpeg', takenBy: '王强' }
    const { id } = await phone.work.attachments.add({ bytes, ...said })
    await phone.work.drafts.change(draft.id, (body) => ({ ...body, photos: [id] }))
    await phone.work.outbox.submit(draft.id)
  }
  const parts = (await phone.work.exportWaiting())!
  expect(parts.map((part) => part.name.slice(-8))).toEqual(['1of3.age', '2of3.age', '3of3.age'])
  for (const { bytes } of parts) expect(bytes.length).toBeLessThan(18 * MIB)
})

it('is not made without a photo that was lost, nor without a key', async () => {
  await submitCheck(phone, 1)
  const other = await startPhone(machine, server, 'b')
  await submitCheck(other)
  expect(await other.work.exportWaiting()).toBeUndefined()
  machine.bytes.clear()
  await expect(phone.work.exportWaiting()).rejects.toMatchObject({ code: 'file_missing' })
})

it('carries no photo that the server has already', async () => {
  await submitCheck(phone, 1)
  server.faults = [null, 503]
  machine.setOnline(true)
  await settle()
  machine.setOnline(false)
  const [part] = (await phone.work.exportWaiting())!
  expect(part!.bytes.length).toBeLessThan(3000)
  expect(server.files.size).toBe(1)
})

it('a text that is no key is refused before anything is encrypted', () => {
  expect(() => encryptTo('age1nothing', new Uint8Array(1), (length) => new Uint8Array(length))).toThrow(TypeError)
})
