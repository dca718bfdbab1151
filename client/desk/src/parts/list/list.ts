/** What a list declares, and what stands of it in the address. */
import type { LocationQuery, LocationQueryRaw } from 'vue-router'

export interface Option {
  value: string
  label: string
}

export interface Filter {
  name: string
  label: string
  type: 'choice' | 'text' | 'date' | 'hidden'
  options?: readonly Option[]
  /** Shown behind 更多筛选. */
  more?: boolean
  /** Words of a chip whose value is none to read (an id). */
  said?: string
}

export interface Column {
  title: string
  /** Figures stand on the right. */
  right?: boolean
}

export interface Page<Row> {
  items: Row[]
  page: number | null
  page_size: number
  total: number
  total_is_exact: boolean
  next_after: string | null
}

export type Given = Record<string, string>

export const SIZE = 20
/** Rows of 选中全部 and of a printed list. */
export const MOST = 500

/** The filters that the address gives; others of its parameters are none of the list's. */
export function givenIn(query: LocationQuery, filters: readonly Filter[]): Given {
  const pairs = filters.map(({ name }) => [name, String(query[name] ?? '').trim()] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
}

/** The address after a change of filters, which begins at the first page. */
export function changed(query: LocationQuery, changes: Given): LocationQueryRaw {
  const next = { ...query, page: undefined, ...changes }
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined && value !== ''))
}

export interface Chip {
  name: string
  label: string
}

export function chipsOf(filters: readonly Filter[], given: Given): Chip[] {
  return filters.flatMap((filter) => {
    const value = given[filter.name]
    if (value === undefined) return []
    const words = filter.said ?? filter.options?.find((one) => one.value === value)?.label ?? value
    return [{ name: filter.name, label: filter.label ? `${filter.label}：${words}` : words }]
  })
}
