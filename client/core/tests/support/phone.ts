import { Api, Session, Workplace, type Me } from '../../src'
import type { Machine, Process } from './machine'
import type { Server } from './server'

/** A started app on a machine: one process with its session and workplace. */
export interface Phone {
  process: Process
  session: Session
  api: Api
  work: Workplace
}

export function person(id: string, verbs: Me['verbs'] = []): Me {
  return { id, username: `user-${id}`, operator_name: null, verbs } as unknown as Me
}

/** Starts the app, as the person whose token `token-ID` is. */
export async function startPhone(machine: Machine, server: Server, id = 'a', verbs: Me['verbs'] = []): Promise<Phone> {
  const process = machine.start(server)
  const session = new Session({ token: `token-${id}`, user: person(id, verbs) })
  const api = new Api(process.platform, session)
  return { process, session, api, work: await Workplace.open(process.platform, api, session) }
}

/** The body of a check without faults. */
export function checkBody(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ...{ kind: 'sales', product_code: '06', form_version: 1, uscc: '91320400MA1TEX0012', org_name: '某某五金经营部' },
    ...{ check_date: '2026-11-30', answers: { '1.1': 'yes' }, ...more },
  }
}

/** The bytes of a photo; no two are alike. */
export function photo(number: number): {
  bytes: Uint8Array
  purpose: string
  name: string
  mediaType: string
  takenBy: string
} {
  return {
    bytes: new Uint8Array(1000).fill(number),
    purpose: 'photo',
    name: `${number}.jpg`,
    mediaType: 'image/jpeg',
    takenBy: '王强',
  }
}

/** Begins a check with so many photos and submits it; its id. */
export async function submitCheck({ work }: Phone, photos = 0, more: Record<string, unknown> = {}): Promise<string> {
  const draft = await work.drafts.create('inspections', checkBody(more))
  for (let number = 1; number <= photos; number += 1) {
    const { id } = await work.attachments.add(photo(number))
    await work.drafts.change(draft.id, (body) => ({ ...body, photos: [...((body['photos'] as string[]) ?? []), id] }))
  }
  await work.outbox.submit(draft.id, { title: '某某五金经营部' })
  return draft.id
}
