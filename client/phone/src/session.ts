/** Who is signed in on this phone. It survives the end of the app; only signing out, or another sign-in, replaces it. */
import type { AnswerOf, Tokens } from '@gongpin/core'
import { reactive } from 'vue'

export type SignedIn = AnswerOf<'/api/v1/sessions', 'post'>
export type Me = SignedIn['user']
/** Somebody else reset the password or the second factor of this account. */
export type Reset = SignedIn['resets'][number]

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
  /** Milliseconds since 1970 from which on the token is about to expire; null where nothing is known of it. */
  renewAt: number | null
  /** Resets that this phone has not shown yet. */
  resets: Reset[]
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

/** By user: when the newest reset happened that was shown on this phone. Another phone shows it too. */
const SHOWN = 'resets-shown'

const EMPTY: Session = {
  token: null, me: null, mustChangePassword: false, expired: false, renewAt: null, resets: [], product: null,
}

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
    renewAt: renewalOf(Date.parse(signedIn.expires_at), Date.now()),
    resets: signedIn.resets.filter((one) => one.at > (read<Record<string, string>>(SHOWN)[signedIn.user.id] ?? '')),
    product: same ? session.product : null,
  })
  const { username, operator_name } = signedIn.user
  write(NAMES, { username, operatorName: operator_name ?? '', token: signedIn.token })
}

const AHEAD = 600_000

/**
 * When a session that was begun `now` is renewed ahead: ten minutes before the earliest moment at which it can end, or
 * at three quarters of a short one. Null where the phone's clock is so wrong that it would be over already.
 */
export function renewalOf(expiresAt: number, now: number): number | null {
  const lifetime = expiresAt - now
  return lifetime > 0 ? expiresAt - Math.min(AHEAD, lifetime / 4) : null
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

/** The person has seen who reset the account. */
export function resetsShown(): void {
  const [newest] = session.resets
  if (newest && session.me) write(SHOWN, { ...read<Record<string, string>>(SHOWN), [session.me.id]: newest.at })
  keep({ resets: [] })
}

/** The second factor that a role demands is enrolled. */
export function otpEnrolled(): void {
  if (session.me) keep({ me: { ...session.me, must_enrol_otp: false } })
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
