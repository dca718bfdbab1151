/** Sellers without a code (无照): they stand in no register, but in the records of the own office. */
import { type AnswerOf, fold, Problem, Unreachable, type Workplace } from '@gongpin/core'

import type { Services } from '@/services'

export type Seller = AnswerOf<'/api/v1/suggestions/sellers', 'get'>['items'][number]

const MOST = 10
/** What of a seller comes along into the next record. */
const CARRIED = ['org_address', 'business_address', 'market_name'] as const

export interface FoundSellers {
  items: Seller[]
  total: number
}

/** By a part of the name: those that this phone keeps, and where there is a network those of the own regions. */
export async function findSellers({ kept }: Workplace, server: Services | null, typed: string): Promise<FoundSellers> {
  const wanted = fold(typed)
  const near = (await kept.read('/api/v1/suggestions/sellers'))?.body.items ?? []
  const there = server === null ? [] : await onServer(server, typed)
  const all = [...near.filter(({ org_name }) => fold(org_name ?? '').includes(wanted)), ...there]
  const found = [...new Map(all.map((one) => [`${fold(one.org_name ?? '')}\n${fold(one.org_address ?? '')}`, one])).values()]
  return { items: found.slice(0, MOST), total: found.length }
}

async function onServer({ api }: Services, typed: string): Promise<Seller[]> {
  try {
    return (await api.get('/api/v1/suggestions/sellers', { query: { q: typed } })).body.items
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Problem) return []
    throw error
  }
}

/** The address of the next page for a seller: its name and where it is. */
export function queryOf(seller: Seller): string {
  const facts = CARRIED.map((name) => [name, seller[name]] as const).filter(([, value]) => value)
  return [['name', seller.org_name ?? ''] as const, ...facts].map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')
}

/** The same read back from the address. */
export function factsIn(query: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = CARRIED.map((name) => [name, query[name]] as const).filter(([, value]) => value)
  return Object.fromEntries(given.map(([name, value]) => [name, decodeURIComponent(value!)]))
}
