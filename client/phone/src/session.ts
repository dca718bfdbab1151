/** Who is signed in on this phone. It survives the end of the app; only signing out, or another sign-in, replaces it. */
import type { AnswerOf, Tokens } from '@gongpin/core'
import { reactive } from 'vue'

export type SignedIn = AnswerOf<'/api/v1/sessions', 'post'>
export type Me = SignedIn['user']

export interface Product {
  code: string
  name: string
}

interface Session {
  token: string | null
  me: Me | null
  mustChangePassword: boolean
  /** The server does not know the token any more: sign-in stands over the page, everything else stays. */
  expired: boolean
  /** What is inspected today (选择产品名称); chosen once after each sign-in. */
  product: Product | null
}

const KEY = 'session'
/** The fields of the sign-in page that are remembered when nobody is signed in. */
const NAMES = 'sign-in-names'

interface Names {
  username: string
  operatorName: string
  token: string
}

const EMPTY: Session = { token: null, me: null, mustChangePassword: false, expired: false, product: null }

export const session = reactive<Session>({ ...EMPTY, ...read<Partial<Session>>(KEY) })

/** For the core's calls. */
export const tokens: Tokens = {
  token: () => session.token ?? undefined,
  refused(token) {
    // A call of an earlier session may come back late.
    if (token === session.token) keep({ expired: true })
  },
}

/** After a sign-in. The same person goes on where the session ended, so the product stays. */
export function begin(signedIn: SignedIn): void {
  const same = session.me?.id === signedIn.user.id
  keep({
    token: signedIn.token,
    me: signedIn.user,
    mustChangePassword: signedIn.must_change_password,
    expired: false,
    product: same ? session.product : null,
  })
  const { username, operator_name } = signedIn.user
  write(NAMES, { username, operatorName: operator_name ?? '', token: signedIn.token })
}

/** After signing out: what was typed stays on the phone, for this person alone. */
export function end(): void {
  keep(EMPTY)
}

export function choose(product: Product): void {
  keep({ product })
}

export function passwordChanged(): void {
  keep({ mustChangePassword: false })
}

/** The person as the server knows them now (rights may have changed). */
export function refreshed(me: Me): void {
  keep({ me, mustChangePassword: me.must_change_password })
}

/** User name, operator and token of the last sign-in on this phone. */
export function lastNames(): Names {
  return { username: '', operatorName: '', token: '', ...read<Names>(NAMES) }
}

/** Whether the person may do this somewhere. */
export function may(verb: Me['verbs'][number]): boolean {
  return session.me?.verbs.includes(verb) ?? false
}

function keep(changes: Partial<Session>): void {
  Object.assign(session, changes)
  write(KEY, { ...session })
}

function read<T>(key: string): Partial<T> {
  try {
    return (uni.getStorageSync(key) || {}) as Partial<T>
  } catch {
    return {}
  }
}

function write(key: string, value: object): void {
  try {
    uni.setStorageSync(key, JSON.parse(JSON.stringify(value)))
  } catch {
    // Without room for it the session lasts until the app is closed.
  }
}
