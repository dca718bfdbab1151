/** A phone bound to WeChat renews its session without a tap: `wx.login` gives a code, the server a new session for it. */
import { type Api, Problem, Unreachable } from '@gongpin/core'
import { ref } from 'vue'

import { goToSignIn } from './navigation'
import { boundHere, loginCode } from './platform/wechat'
import { begin, end, type Me, session, type SignedIn } from './session'

/** While it is tried for the first time the sign-in over the page stays away; later what is typed there stays. */
export const renewing = ref(false)

/** A renewed session that is refused at once is not renewed again and again. */
const REST = 60_000
let triedAt = -REST
let running: Promise<boolean> | null = null
/** The token that could not be renewed last. */
let lost: string | null = null
/** The token for which WeChat gave the session of another user. */
let foreign: string | null = null
/** Whose tokens were renewed: a call that took its token before the renewal goes on with the new one. */
const former = new Map<string, Me>()

/** Where WeChat may ask, in one place for tests. */
export interface Asked {
  bound: () => boolean
  code: () => Promise<string | null>
  now: () => number
}

const PHONE: Asked = { bound: boundHere, code: loginCode, now: () => Date.now() }

/** One new session for all who ask, for the same person, or none. Whether it was renewed. */
export function renew(api: Pick<Api, 'send'>, asked: Asked = PHONE): Promise<boolean> {
  if (running !== null) return running
  const { me, token } = session
  if (me === null || asked.now() - triedAt < REST || !asked.bound()) return Promise.resolve(false)
  triedAt = asked.now()
  renewing.value = token !== lost
  running = anew(api, asked)
    .then((renewed) => {
      lost = renewed ? null : token
      return renewed
    })
    .finally(() => {
      running = null
      renewing.value = false
    })
  return running
}

/**
 * Before a call: the session is renewed where it is about to expire, so that no write meets a refusal; calls that come
 * meanwhile wait for the new one. The token to call with: that of the same person's new session, or the one given.
 */
export async function renewAhead(api: Pick<Api, 'send'>, token: string, asked: Asked = PHONE): Promise<string> {
  const { expired, renewAt } = session
  const isDue = token === session.token && !expired && renewAt !== null && asked.now() >= renewAt
  await (isDue ? renew(api, asked) : running)
  return newTokenOf(token) ?? token
}

/**
 * After the server refused the token: the token of the same person's new session, or undefined; then the sign-in is
 * asked. Where WeChat knows another user by now, this one is signed out: drafts and outbox stay for the next sign-in.
 */
export async function renewAfter(api: Pick<Api, 'send'>, token: string, asked: Asked = PHONE): Promise<string | undefined> {
  await (token === session.token ? renew(api, asked) : running)
  if (foreign === token && token === session.token) {
    end()
    goToSignIn()
  }
  return newTokenOf(token)
}

/** The token that is good now for who called with this one. */
function newTokenOf(token: string): string | undefined {
  const owner = former.get(token)
  return owner !== undefined && session.token !== null && samePerson(owner, session.me) ? session.token : undefined
}

/** WeChat may know somebody else by now: nothing of this page is theirs, so their session is ended at once. */
async function anew(api: Pick<Api, 'send'>, asked: Asked): Promise<boolean> {
  const { me: before, token } = session
  try {
    const code = await asked.code()
    if (code === null || before === null) return false
    const answer = await api.send('POST', '/api/v1/sessions/wechat', { body: { code } })
    const signedIn = answer.body as unknown as SignedIn
    if (session.token === token && samePerson(before, session.me) && samePerson(before, signedIn.user)) {
      begin(signedIn)
      if (token !== null) former.set(token, before)
      return true
    }
    if (!sameUser(before, signedIn.user)) foreign = token
    await api.send('DELETE', '/api/v1/sessions/current', { token: signedIn.token })
    return false
  } catch (error) {
    if (error instanceof Problem || error instanceof Unreachable) return false
    throw error
  }
}

function sameUser(one: Me, other: Me | null): boolean {
  return other !== null && one.id === other.id && one.username === other.username
}

/** Two people who share a user name are two. */
function samePerson(one: Me, other: Me | null): boolean {
  return sameUser(one, other) && (one.operator_name ?? '') === (other?.operator_name ?? '')
}
