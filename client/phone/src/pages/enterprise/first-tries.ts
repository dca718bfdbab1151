/** When this phone first tried to send a filing: kept until it is sent, so that the receipt can name it as the phone's word. */
const KEY = 'first-tries'
const MOST = 50

type Kept = Record<string, string>

function kept(): Kept {
  try {
    const found: unknown = uni.getStorageSync(KEY)
    return found && typeof found === 'object' ? { ...(found as Kept) } : {}
  } catch {
    return {}
  }
}

function keep(tries: Kept): void {
  try {
    uni.setStorageSync(KEY, Object.fromEntries(Object.entries(tries).slice(-MOST)))
  } catch {
    // A full storage costs only this memory: the server notes by itself what reaches it.
  }
}

/** The instant of the first try of this content (a filing's version), which is now unless there was an earlier one. */
export function firstTry(filing: string, version: number, now: Date = new Date()): string {
  const tries = kept()
  const name = `${filing}:${version}`
  const at = tries[name] ?? now.toISOString()
  if (!tries[name]) keep({ ...tries, [name]: at })
  return at
}

/** It was sent: no try of this filing is to be remembered. */
export function forgetTries(filing: string): void {
  keep(Object.fromEntries(Object.entries(kept()).filter(([name]) => !name.startsWith(`${filing}:`))))
}
