/** A phone bound to WeChat renews its session without a tap: `wx.login` gives a code, the server a new session for it. */
import { type Api, Problem, Unreachable } from '@gongpin/core'
import { ref } from 'vue'

import { boundHere, loginCode } from './platform/wechat'
import { begin, type Me, session, type SignedIn } from './session'

/** While it is tried the sign-in over the page stays away. */
export const renewing = ref(false)

/** A renewed session that is refused at once is not renewed again and again. */
const REST = 60_000
let triedAt = -REST
let running: Promise<boolean> | null = null
/** Whose tokens were renewed: a call that took its token before the renewal goes on with the new one. */
const former = new Map<string, Me>()

/** Where WeChat may ask, in one place for tests. */
export interface Asked {
  bound: () => boolean
  code: () => Promise<string | null>
  now: () => number
}

const PHONE: Asked = { bound: boundHere, code: loginCode, now: () => Date.now() }

/** The server refused the token: a new session for the same person, or none; then the sign-in is asked. Whether it was renewed. */
export function renew(api: Pick<Api, 'send'>, asked: Asked = PHONE): Promise<boolean> {
  if (running !== null || session.me === null || asked.now() - triedAt < REST || !asked.bound()) return Promise.resolve(false)
  triedAt = asked.now()
  renewing.value = true
  running = anew(api, asked).finally(() => {
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
  const { me, renewAt } = session
  if (token !== session.token || me === null) {
    const owner = former.get(token)
    return owner !== undefined && session.token !== null && samePerson(owner, me) ? session.token : token
  }
  if (running === null && (session.expired || renewAt === null || asked.now() < renewAt)) return token
  await (running ?? renew(api, asked))
  return session.token !== null && samePerson(me, session.me) ? session.token : token
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
    await api.send('DELETE', '/api/v1/sessions/current', { token: signedIn.token })
    return false
  } catch (error) {
    if (error instanceof Problem || error instanceof Unreachable) return false
    throw error
  }
}

function samePerson(one: Me, other: Me | null): boolean {
  return other !== null && one.id === other.id && (one.operator_name ?? '') === (other.operator_name ?? '')
}
