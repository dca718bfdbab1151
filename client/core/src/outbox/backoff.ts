const FIRST = 2_000
const LONGEST = 5 * 60_000

/**
 * Milliseconds until the next try after so many failed ones (1, 2, …): doubling from 2 s to 5 min, of which the second
 * half is by chance, so that phones which lost a server together do not come back together. `chance` is in [0, 1).
 */
export function backoff(failures: number, chance: number): number {
  const whole = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 20))
  return Math.round(whole / 2 + (whole / 2) * chance)
}
