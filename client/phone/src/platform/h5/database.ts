/** The one IndexedDB database of the app: `values` (key → JSON), `files` (id → bytes), `sizes` (id → bytes of the file). */
import { StorageFull } from '@gongpin/core'

export type Table = 'values' | 'files' | 'sizes'

let opened: Promise<IDBDatabase> | null = null

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open('gongpin', 1)
    asked.onupgradeneeded = () => {
      for (const name of ['values', 'files', 'sizes']) asked.result.createObjectStore(name)
    }
    asked.onsuccess = () => {
      const database = asked.result
      // The browser may close it (data cleared, newer version in another tab): the next call opens it again.
      database.onclose = () => (opened = null)
      database.onversionchange = () => {
        database.close()
        opened = null
      }
      resolve(database)
    }
    asked.onerror = () => {
      opened = null
      reject(asked.error)
    }
  })
  return opened
}

/**
 * Runs `work` in one transaction and settles when the transaction has ended: for writes that is when the bytes are on
 * the disk. Raises `StorageFull` where there is no room.
 */
export async function inDatabase<T>(
  mode: IDBTransactionMode,
  tables: Table[],
  work: (table: (name: Table) => IDBObjectStore) => IDBRequest<T> | null,
): Promise<T | undefined> {
  const database = await open()
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(tables, mode, { durability: 'strict' })
    const asked = work((name) => transaction.objectStore(name))
    transaction.oncomplete = () => resolve(asked?.result)
    const failed = () => {
      const error = transaction.error ?? asked?.error
      reject(error?.name === 'QuotaExceededError' ? new StorageFull() : (error ?? new Error('aborted')))
    }
    transaction.onabort = failed
    transaction.onerror = failed
  })
}

/** All keys that begin with `prefix`; U+FFFF stands behind every character that a key may hold. */
export function beginningWith(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`)
}
