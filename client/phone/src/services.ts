/** Builds the core's objects on this machine, once; pages take from here what they need. */
import { Api, type Platform, Session, type Workplace } from '@gongpin/core'
import { watch } from 'vue'

import { createPlatform } from './platform'
import { openWorkplace } from './platform/workplace'
import { renewAfter, renewAhead } from './renewal'
import { session, tokens } from './session'

export interface Services {
  platform: Platform
  api: Api
  /** The core's view of who is signed in; it follows `session.ts`. */
  signedIn: Session
}

let made: Promise<Services> | null = null
let opened: { scope: string; workplace: Promise<Workplace> } | null = null

/** `const { api } = await services()` */
export function services(): Promise<Services> {
  made ??= make()
  return made
}

/**
 * Drafts, outbox, register and all else of the person who is signed in. It sends and saves by itself from the first
 * call on. Rejects when nobody is signed in.
 */
export async function workplace(): Promise<Workplace> {
  const { platform, api, signedIn } = await services()
  follow(signedIn)
  const { scope } = signedIn
  if (scope === undefined) throw new Error('nobody is signed in')
  if (opened?.scope !== scope) {
    const before = opened?.workplace
    // One after the other: the former person's outbox ends before the next one's begins.
    const workplace = closed(before).then(() => openWorkplace(platform, api, signedIn))
    const mine = { scope, workplace }
    opened = mine
    // What failed (a part of the app that could not be fetched) is tried again by the next call.
    workplace.catch(() => opened === mine && (opened = null))
  }
  return opened.workplace
}

async function make(): Promise<Services> {
  const platform = await createPlatform()
  const signedIn = new Session()
  follow(signedIn)
  const api: Api = new Api(platform, {
    token: tokens.token,
    renewed: (token) => renewAhead(api, token),
    instead: (token) => renewAfter(api, token),
    refused(token) {
      tokens.refused(token)
      signedIn.refused(token)
    },
  })
  watch(() => [session.token, session.me], () => follow(signedIn))
  watch(() => session.product?.code, prepare, { immediate: true })
  return { platform, api, signedIn }
}

/** Fetches the words of the product of the day, so that they are there without a network too. */
async function prepare(productCode: string | undefined): Promise<void> {
  if (productCode !== undefined && session.token !== null) await (await workplace()).upkeep.prepareProduct(productCode)
}

/** Tells the core who is signed in now; nothing happens where it knows. */
function follow(signedIn: Session): void {
  const { token, me } = session
  if (token !== null && me !== null) {
    if (token !== signedIn.token()) signedIn.begin({ token, user: me })
  } else if (signedIn.current !== undefined) {
    signedIn.end()
    void closed(opened?.workplace)
    opened = null
  }
}

async function closed(workplace: Promise<Workplace> | undefined): Promise<void> {
  await workplace?.then((one) => one.close(), () => undefined)
}
