/** The products that are inspected; kept on the phone, so that they are there without a network too. */
import { type AnswerOf, type Json, Unreachable } from '@gongpin/core'

import { services } from './services'

type Products = AnswerOf<'/api/v1/products', 'get'>['items']

const KEY = 'products'

/** As the server has them now, or else as they were when they were last read. Raises what the call raises. */
export async function productList(): Promise<Products> {
  const { api, platform } = await services()
  try {
    const { items } = (await api.get('/api/v1/products', {})).body
    await platform.store.write([[KEY, items as unknown as Json]]).catch(() => undefined)
    return items
  } catch (error) {
    const kept = error instanceof Unreachable ? await platform.store.get(KEY) : undefined
    if (kept === undefined) throw error
    return kept as unknown as Products
  }
}
