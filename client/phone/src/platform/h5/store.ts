import type { Json, Store } from '@gongpin/core'

import { beginningWith, inDatabase } from './database'

/** Values in IndexedDB; a BroadcastChannel tells other tabs which keys were written. */
export function openStore(): Store {
  const channel = new BroadcastChannel('gongpin-store')
  return {
    get: async (key) => (await inDatabase('readonly', ['values'], (at) => at('values').get(key))) as Json | undefined,
    async list(prefix) {
      const range = beginningWith(prefix)
      let keys: IDBRequest<IDBValidKey[]> | undefined
      const values = await inDatabase('readonly', ['values'], (at) => {
        keys = at('values').getAllKeys(range)
        return at('values').getAll(range)
      })
      return (keys?.result ?? []).map((key, place) => [String(key), (values as Json[])[place] as Json])
    },
    async keys(prefix) {
      const range = beginningWith(prefix)
      return ((await inDatabase('readonly', ['values'], (at) => at('values').getAllKeys(range))) ?? []).map(String)
    },
    async write(changes) {
      await inDatabase('readwrite', ['values'], (at) => {
        for (const [key, value] of changes) {
          if (value === undefined) at('values').delete(key)
          else at('values').put(value, key)
        }
        return null
      })
      channel.postMessage(changes.map(([key]) => key))
    },
    watch(listener) {
      const heard = (event: MessageEvent<string[]>) => listener(event.data)
      channel.addEventListener('message', heard)
      return () => channel.removeEventListener('message', heard)
    },
  }
}
