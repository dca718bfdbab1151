/** Two versions of a record beside each other, place by place, in the order of the form. */
import type { Shown, ShownSection } from '@/shown-answers'

export interface Compared {
  pointer: string
  label: string
  before: string
  after: string
  same: boolean
}

/** Every place that one of the two has; `after` gives the order, what only `before` has stands behind. */
export function compared(before: readonly ShownSection[], after: readonly ShownSection[]): Compared[] {
  const old = places(before)
  const now = places(after)
  return [...new Map([...now, ...old]).entries()].map(([pointer, { label }]) => {
    const [one, other] = [old.get(pointer)?.text ?? '', now.get(pointer)?.text ?? '']
    return { pointer, label, before: one, after: other, same: one === other }
  })
}

function places(sections: readonly ShownSection[]): Map<string, { label: string; text: string }> {
  return new Map(sections.flatMap(({ items }) => items.flatMap((item) => flat(item, ''))))
}

function flat(item: Shown, within: string): [string, { label: string; text: string }][] {
  const label = within + (item.no ? `${item.no} ${item.label}` : item.label)
  if (item.rows.length > 0) {
    return item.rows.flatMap((row, place) => row.flatMap((cell) => flat(cell, `${item.label} ${place + 1} · `)))
  }
  const text = item.files.length > 0 ? filesText(item.files) : item.text
  return [[item.pointer, { label, text }]]
}

/** Files are told apart by the end of their ids: 照片 2 张（…3f6b、…2a10）. */
function filesText(ids: readonly string[]): string {
  return `${ids.length} 个文件（${ids.map((id) => `…${id.slice(-4)}`).join('、')}）`
}
