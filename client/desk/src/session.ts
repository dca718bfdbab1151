/** Who is signed in at this desk; other tabs of the browser share it, so that a link opens without signing in again. */
import type { AnswerOf } from '@gongpin/core'
import { reactive } from 'vue'

export type SignedIn = AnswerOf<'/api/v1/sessions', 'post'>
export type Me = SignedIn['user']

interface Session {
  token: string | null
  me: Me | null
  /** The server knows the token no more: sign-in stands over the page, everything else stays. */
  expired: boolean
}

const KEY = 'gongpin-desk'
const NAMES = 'gongpin-desk-names'
const EMPTY: Session = { token: null, me: null, expired: false }

export const session = reactive<Session>({ ...EMPTY, ...read<Session>(KEY) })

// Signing out in one tab signs out all of them.
window.addEventListener('storage', (event) => {
  if (event.key === KEY) Object.assign(session, { ...EMPTY, ...read<Session>(KEY) })
})

export function begin(signedIn: SignedIn): void {
  keep({ token: signedIn.token, me: signedIn.user, expired: false })
  const { username, operator_name } = signedIn.user
  localStorage.setItem(NAMES, JSON.stringify({ username, operatorName: operator_name ?? '' }))
}

export function refreshed(me: Me): void {
  keep({ me })
}

export function end(): void {
  keep(EMPTY)
}

/** A call came back with 401; of an earlier session it may come late. */
export function refused(token: string): void {
  if (token === session.token) session.expired = true
}

/** Names of the last sign-in at this desk. */
export function lastNames(): { username: string; operatorName: string } {
  return { username: '', operatorName: '', ...read<{ username: string; operatorName: string }>(NAMES) }
}

function keep(changes: Partial<Session>): void {
  Object.assign(session, changes)
  if (session.token === null) localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, JSON.stringify({ token: session.token, me: session.me }))
}

function read<T>(key: string): Partial<T> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<T>
  } catch {
    return {}
  }
}
