/** What the pages of a filing work with: of the person who is signed in, or of a guest with its query code (`guest.ts`). */
import { Api, Attachments, Catalogues, Kept, type Platform, Problem, storageState, type StorageState } from '@gongpin/core'

import { guest, guestRefused, isGuests } from './guest'
import { services, workplace } from './services'
import { session } from './session'

export interface Desk {
  platform: Platform
  api: Api
  attachments: Attachments
  catalogues: Catalogues
  kept: Kept
  token(): string | undefined
  /** How much room there is for photos. */
  storage(): Promise<StorageState>
  /** Whose what is typed is on this phone. */
  owner: string
}

let opened: { filingId: string; desk: Promise<Desk> } | null = null

/** For the pages of this filing. Raises `Problem` where nobody is signed in and no query code was given for it. */
export async function deskOf(filingId: string): Promise<Desk> {
  if (!isGuests(filingId)) {
    if (session.token === null) throw new Problem(401, 'unauthenticated', '请先登录，或凭查询码打开。')
    return ownDesk()
  }
  if (opened?.filingId !== filingId) opened = { filingId, desk: guestDesk(filingId) }
  return opened.desk
}

/** Of the person who is signed in. */
export async function ownDesk(): Promise<Desk> {
  const { platform, api, signedIn } = await services()
  const place = await workplace()
  const { attachments, catalogues, kept } = place
  const storage = () => place.storage()
  return { platform, api, attachments, catalogues, kept, storage, token: () => signedIn.token(), owner: session.me?.id ?? '' }
}

async function guestDesk(filingId: string): Promise<Desk> {
  const { platform } = await services()
  const token = () => guest.current?.token
  const api = new Api(platform, { token, refused: guestRefused })
  const scope = scopeOf(filingId)
  const catalogues = new Catalogues(platform, api, scope)
  await catalogues.load()
  const [attachments, kept] = [new Attachments(platform, api, scope), new Kept(platform, api, scope)]
  const storage = async () => storageState(platform, (await attachments.list()).map((file) => file.size))
  return { platform, api, attachments, catalogues, kept, storage, token, owner: filingId }
}

/** Takes from this phone what a guest has typed and chosen here: others may hold it next. */
export async function clearGuestDesk(filingId: string): Promise<void> {
  const { platform } = await services()
  const files = await new Attachments(platform, new Api(platform, { token: () => undefined, refused: () => undefined }), scopeOf(filingId)).list()
  for (const file of files) await platform.files.remove(file.id)
  const keys = [...(await platform.store.keys(scopeOf(filingId))), ...(await platform.store.keys(`filings/${filingId}/`))]
  await platform.store.write(keys.map((key) => [key, undefined]))
  opened = null
}

/** Beside those of people (`u/…/`), so that a sweep of files knows whose they are. */
function scopeOf(filingId: string): string {
  return `u/guest-${filingId}/`
}
