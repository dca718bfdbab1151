/**
 * Somebody without an account who works on one filing: registered a moment ago, or came back with its query code (查询码).
 * It stands beside whoever is signed in on this phone, and reaches nothing but that filing.
 */
import { reactive } from 'vue'

export interface Guest {
  token: string
  filingId: string
  /** Milliseconds since 1970. */
  expiresAt: number
}

const KEY = 'guest'

export const guest = reactive<{ current: Guest | null; /** The token is over: the query code is asked for again. */ over: boolean }>({
  current: kept(),
  over: false,
})

export function beginAsGuest(answer: { token: string; filing_id: string; expires_at: string }): void {
  guest.over = false
  keep({ token: answer.token, filingId: answer.filing_id, expiresAt: Date.parse(answer.expires_at) })
}

export function endAsGuest(): void {
  guest.over = false
  keep(null)
}

/** Whether this filing is worked on by its query code on this phone. */
export function isGuests(filingId: string | undefined): boolean {
  return guest.current !== null && guest.current.filingId === filingId
}

/** The server does not know the token any more. A late answer to a former one says nothing. */
export function guestRefused(token: string): void {
  if (guest.current?.token === token) guest.over = true
}

function keep(current: Guest | null): void {
  guest.current = current
  try {
    if (current) uni.setStorageSync(KEY, { ...current })
    else uni.removeStorageSync(KEY)
  } catch {
    // Without room for it the query code is asked for again when the app is opened anew.
  }
}

function kept(): Guest | null {
  try {
    const found = uni.getStorageSync(KEY) as Guest | '' | null
    return found && found.expiresAt > Date.now() ? found : null
  } catch {
    return null
  }
}
