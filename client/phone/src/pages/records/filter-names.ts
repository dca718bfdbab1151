/** The words of the filters, from the server's own lists: a new kind of check or product needs no code here. */
import { Problem, Unreachable } from '@gongpin/core'

import { ELSEWHERE } from '@/pages/home/form-order'
import { services, workplace } from '@/services'
import { session } from '@/session'
import type { Names } from './filters'

/** Records of these kinds stand in lists of their own. */
const FOREIGN = [...ELSEWHERE, 'spot_check']

/**
 * Whatever cannot be read now is left out, so that the other filters can be used all the same. `region` is filtered by
 * from the beginning.
 */
export async function filterNames(region?: string): Promise<Names> {
  const [kinds, products, regions] = await Promise.all([quietly(kindNames), quietly(productNames), quietly(regionsBelow)])
  const known = region === undefined || regions?.some(({ value }) => value === region)
  return {
    kinds: (kinds ?? []).filter(({ kind }) => !FOREIGN.includes(kind)).map(({ kind, label }) => ({ value: kind, label })),
    products: products ?? [],
    regions: regions ?? [],
    deeper: known ? undefined : await quietly(() => regionNamed(region)),
  }
}

/** What kinds of records are called: the title of their form. */
export async function kindNames(): Promise<{ kind: string; label: string }[]> {
  const { kept } = await workplace()
  const { body } = await kept.get('/api/v1/forms')
  return body.items.map(({ kind, title }) => ({ kind, label: title }))
}

export async function productNames(): Promise<{ value: string; label: string }[]> {
  const { kept } = await workplace()
  const { body } = await kept.get('/api/v1/products')
  return body.items.map(({ code, name }) => ({ value: code, label: name }))
}

async function regionsBelow(): Promise<{ value: string; label: string }[]> {
  const code = session.me?.region?.code
  const { api } = await services()
  const { body } = await api.get('/api/v1/regions', { query: code ? { parent: code } : {} })
  return body.items.map((region) => ({ value: region.code, label: region.name }))
}

async function regionNamed(code: string): Promise<{ value: string; label: string } | undefined> {
  const { api } = await services()
  const { body } = await api.get('/api/v1/regions', { query: { code } })
  const [found] = body.items
  return found && { value: code, label: found.name }
}

/** Undefined where the server has no answer or refuses; our own faults are not hidden. */
export async function quietly<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Problem || error instanceof Unreachable) return undefined
    throw error
  }
}
