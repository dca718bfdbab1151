/** Words of a light (绿、黄、红灯) on a deadline; shape and word say what the colour says. */
export type LightColour = 'green' | 'yellow' | 'red'

export const SHAPES: Record<LightColour, string> = { green: '●', yellow: '▲', red: '■' }
export const COLOURS: Record<LightColour, string> = { green: '绿', yellow: '黄', red: '红' }

const DAY = 86_400_000

/** Whole days from one local date (`2026-11-29`) to another; negative when `to` lies before `from`. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY)
}

/** What stands beside the shape: 剩 21 天, 今天到期, 超期 3 天. */
export function dueWords(dueOn: string, today: string): string {
  const days = daysBetween(today, dueOn)
  if (days > 0) return `剩 ${days} 天`
  return days === 0 ? '今天到期' : `超期 ${-days} 天`
}
