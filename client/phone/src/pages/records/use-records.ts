/** One list of records: the first page anew whenever filters change, further ones behind the last record seen. */
import { computed, ref, shallowRef } from 'vue'

import { services } from '@/services'
import type { Filters } from './filters'
import { keep, kept } from './keeping'
import type { RecordRow, RecordType } from './types'

const PAGE = 20

interface FirstPage {
  rows: RecordRow[]
  total: number
  exact: boolean
  next: string | null
}

export function useRecords() {
  const rows = shallowRef<RecordRow[] | null>(null)
  const total = ref(0)
  const exact = ref(true)
  const next = ref<string | null>(null)
  const error = shallowRef<unknown>(null)
  const busy = ref(false)
  /** When what is shown was read, where it is not of now. */
  const age = ref<number | null>(null)
  let asked: { type: RecordType; filters: Filters; q: string } | null = null
  let turn = 0

  function show(page: FirstPage, at: number | null) {
    rows.value = page.rows
    total.value = page.total
    exact.value = page.exact
    next.value = page.next
    age.value = at
  }

  async function ask(after: string | null): Promise<FirstPage> {
    const { type, filters, q } = asked!
    const { api } = await services()
    const query = { ...filters, ...(q ? { q } : {}), ...(after ? { after } : {}), page_size: PAGE }
    const { body } = await (type === 'inspections'
      ? api.get('/api/v1/inspections', { query })
      : api.get('/api/v1/spot-checks', { query }))
    return { rows: body.items, total: body.total, exact: body.total_is_exact, next: body.next_after }
  }

  /** The first page; what came last for the same question is there at once. A later question overtakes an earlier one. */
  async function read(type: RecordType, filters: Filters, q: string): Promise<void> {
    const mine = ++turn
    const other = JSON.stringify({ type, filters, q }) !== JSON.stringify(asked)
    asked = { type, filters, q }
    const name = `list/${type}/${JSON.stringify(filters)}${q}`
    error.value = null
    busy.value = true
    if (other) rows.value = null
    const before = other ? await kept<FirstPage>(name) : undefined
    if (before && mine === turn) show(before.value, before.at)
    try {
      const page = await ask(null)
      if (mine !== turn) return
      show(page, null)
      void keep(name, page)
    } catch (raised) {
      if (mine === turn) error.value = raised
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  /** 更多: what comes behind the last record seen. */
  async function more(): Promise<void> {
    if (busy.value || !next.value) return
    const mine = turn
    busy.value = true
    error.value = null
    try {
      const page = await ask(next.value)
      if (mine !== turn) return
      rows.value = [...(rows.value ?? []), ...page.rows]
      next.value = page.next
    } catch (raised) {
      if (mine === turn) error.value = raised
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  /** With the order of the server's lists. */
  const count = computed(() => `${exact.value ? '共' : '超过'} ${total.value} 条，按提交时间从新到旧`)
  return { rows, count, next, error, busy, age, read, more }
}
