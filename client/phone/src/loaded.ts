/** What a page has read from the server: the answer, or a sentence on why it is not there. */
import { Problem } from '@gongpin/core'
import { ref, shallowRef, type ShallowRef, type Ref } from 'vue'

import { sentenceOf } from './words'

export interface Loaded<T> {
  /** The last answer; it stays while it is read again, and when that fails. */
  data: ShallowRef<T | undefined>
  /** Why the last reading failed. */
  fault: Ref<string | null>
  /** The record does not exist, or lies outside the own area. */
  missing: Ref<boolean>
  loading: Ref<boolean>
  /** Reads again; of two readings at once the later one counts. */
  reload: () => Promise<void>
}

/** Reads when `reload` is called; a page calls it on being shown and after each change. */
export function useLoaded<T>(read: () => Promise<T>): Loaded<T> {
  const data = shallowRef<T>()
  const fault = ref<string | null>(null)
  const missing = ref(false)
  const loading = ref(true)
  let turn = 0

  async function reload() {
    const mine = ++turn
    loading.value = true
    try {
      const answer = await read()
      if (mine !== turn) return
      data.value = answer
      fault.value = null
      missing.value = false
    } catch (error) {
      if (mine !== turn) return
      missing.value = error instanceof Problem && error.status === 404
      fault.value = missing.value ? '记录不存在，或不在你的辖区。' : sentenceOf(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  return { data, fault, missing, loading, reload }
}

export interface Listed<T> {
  items: ShallowRef<T[]>
  /** How many there are in all. */
  total: Ref<number>
  /** Whether `total` was counted to the end. */
  exact: Ref<boolean>
  /** Whether there are more behind the last one. */
  more: Ref<boolean>
  fault: Ref<string | null>
  loading: Ref<boolean>
  /** Whether the first page has arrived. */
  ready: Ref<boolean>
  reload: () => Promise<void>
  /** The next page. */
  next: () => Promise<void>
}

/** A page of a list, as every list of the server is answered. */
export interface ListPage<T> {
  items: T[]
  total: number
  total_is_exact: boolean
  next_after: string | null
}

/** A list read page by page (更多), behind the last item seen. */
export function useList<T>(read: (after: string | undefined) => Promise<ListPage<T>>): Listed<T> {
  const items = shallowRef<T[]>([])
  const [total, exact, more] = [ref(0), ref(true), ref(false)]
  const [loading, ready] = [ref(true), ref(false)]
  const fault = ref<string | null>(null)
  let after: string | undefined
  let turn = 0

  async function page(from: string | undefined, before: T[]) {
    const mine = ++turn
    loading.value = true
    try {
      const answer = await read(from)
      if (mine !== turn) return
      items.value = [...before, ...answer.items]
      if (from === undefined) [total.value, exact.value] = [answer.total, answer.total_is_exact]
      after = answer.next_after ?? undefined
      more.value = after !== undefined
      fault.value = null
      ready.value = true
    } catch (error) {
      if (mine === turn) fault.value = sentenceOf(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  return {
    items, total, exact, more, fault, loading, ready,
    reload: () => page(undefined, []),
    next: () => (after === undefined || loading.value ? Promise.resolve() : page(after, items.value)),
  }
}
