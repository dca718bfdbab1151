/** Short lists of the server that are kept on the phone, so that they are there at once and without a network too. */
import { type AnswerOf, type Json, Unreachable } from '@gongpin/core'

import { services } from './services'
import { session } from './session'

export type FormSummary = AnswerOf<'/api/v1/forms', 'get'>['items'][number]
export type Todo = AnswerOf<'/api/v1/todos', 'get'>['items'][number]

export type FilingKindSummary = AnswerOf<'/api/v1/filing-kinds', 'get'>['items'][number]

interface Kept<T> {
  value: T
  /** Milliseconds since 1970 at which the server said it. */
  at: number
}

/** The products that are inspected (选择产品名称). */
export const productList = () => fresh('products', async (api) => (await api.get('/api/v1/products', {})).body.items)

/** Newest versions of all forms, without their items. */
export const formList = () => fresh('forms', async (api) => (await api.get('/api/v1/forms', {})).body.items)

/** Kinds of filings (申报和报告), without their forms. */
export const filingKinds = () =>
  fresh('filing-kinds', async (api) => (await api.get('/api/v1/filing-kinds', {})).body.items)

/** The most urgent to-dos of the person, and how many there are in all. */
export const firstTodos = () =>
  fresh('todos', async (api) => {
    const { items, total } = (await api.get('/api/v1/todos', { query: { page_size: 3 } })).body
    return { items, total }
  })

/** What `fresh` read last for this person under that name; undefined the first time. */
export async function kept<T>(name: string): Promise<Kept<T> | undefined> {
  const { platform } = await services()
  return (await platform.store.get(key(name))) as Kept<T> | undefined
}

/** As the server has it now, or where it cannot be reached as it was when it was last read. Raises what the call raises. */
async function fresh<T>(
  name: string,
  read: (api: Awaited<ReturnType<typeof services>>['api']) => Promise<T>,
): Promise<Kept<T>> {
  const { api, platform } = await services()
  const place = key(name)
  try {
    const found = { value: await read(api), at: platform.clock.now() }
    // Without room for it only the next start is slower.
    await platform.store.write([[place, found as unknown as Json]]).catch(() => undefined)
    return found
  } catch (error) {
    const before = error instanceof Unreachable ? await kept<T>(name) : undefined
    if (before === undefined) throw error
    return before
  }
}

/** What one person may see is not shown to the next one on the same phone. */
function key(name: string): string {
  return `lists/${session.me?.id ?? ''}/${name}`
}
