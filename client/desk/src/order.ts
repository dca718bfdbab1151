/** The list from which a filing was opened: 上一件 and 下一件 follow its order, and the way back keeps its filters. */
import { reactive } from 'vue'

export const order = reactive<{ ids: string[]; from: string }>({ ids: [], from: '/filings' })

export function keepOrder(ids: string[], from: string): void {
  Object.assign(order, { ids, from })
}

export function neighbours(id: string): { place: number; before: string | undefined; after: string | undefined } {
  const at = order.ids.indexOf(id)
  return { place: at, before: at > 0 ? order.ids[at - 1] : undefined, after: at < 0 ? undefined : order.ids[at + 1] }
}
