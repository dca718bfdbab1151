/** Dates and times as people in China read them, whatever zone and language the phone is set to. */

/** `2026-11-29 10:32` of an RFC 3339 time, in UTC+8 (China has no summer time). */
export function localTime(time: string | number): string {
  const moment = typeof time === 'number' ? time : Date.parse(time)
  const shifted = new Date(moment + 8 * 3_600_000).toISOString()
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 16)}`
}

/** Today's date in China, `2026-11-29`. */
export function chinaToday(now: number = Date.now()): string {
  return localTime(now).slice(0, 10)
}

/** `10:32` for a moment of today, otherwise `11-28 10:32`, or with the year where it is another one. */
export function shortTime(time: string | number, now: number = Date.now()): string {
  const text = localTime(time)
  const today = chinaToday(now)
  if (text.startsWith(today)) return text.slice(11)
  return text.startsWith(today.slice(0, 4)) ? text.slice(5) : text
}

/** How long ago: 刚刚, 5 分钟前, 2 小时前, 3 天前. */
export function ago(time: number, now: number = Date.now()): string {
  const minutes = Math.floor((now - time) / 60_000)
  if (minutes < 1) return '刚刚'
  if (minutes < 60) return `${minutes} 分钟前`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} 小时前` : `${Math.floor(hours / 24)} 天前`
}

/** `10:32` of a moment, whatever its day. */
export function clockTime(time: string | number): string {
  return localTime(time).slice(11)
}

/** The day before a date. */
export function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
}
