/** Days and times as people here write them: dates are those of Asia/Shanghai, whatever the phone's own zone. */

const ZONE = 8 * 3_600_000

/** `2026-11-27`, of now or of a moment in milliseconds since 1970. */
export function today(now = Date.now()): string {
  return new Date(now + ZONE).toISOString().slice(0, 10)
}

export function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
}

/** `10:32` */
export function clockTime(moment: number): string {
  return new Date(moment + ZONE).toISOString().slice(11, 16)
}
