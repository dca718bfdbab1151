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
 * Bytes that are kept occupied while there is room (ballast). A browser does not tell how much it has left (Chromium says
 * 10 GiB on every disk): the first write that finds no room releases them, so that the end is said before it comes.
 */
const BALLAST = 8 * 1024 * 1024
const BALLAST_KEY = '\u0000ballast'

/**
 * Runs `work` in one transaction and settles when the transaction has ended: for writes that is when the bytes are on
 * the disk. A write that finds no room is tried once more without the ballast. Raises `StorageFull` where there is none.
 */
export async function inDatabase<T>(
  mode: IDBTransactionMode,
  tables: Table[],
  work: (table: (name: Table) => IDBObjectStore) => IDBRequest<T> | null,
): Promise<T | undefined> {
  try {
    return await transact(mode, tables, work)
  } catch (error) {
    if (!(error instanceof StorageFull) || !(await hasBallast())) throw error
    await put(undefined)
    return transact(mode, tables, work)
  }
}

/** Whether at least `BALLAST` bytes are left; takes them where they were free again. Else how many bytes there are, about. */
export async function roomLeft(): Promise<'plenty' | number> {
  if ((await hasBallast()) || (await fits(BALLAST))) return 'plenty'
  for (let size = BALLAST * 0.75; size >= BALLAST / 8; size -= BALLAST / 8) {
    if (!(await fits(size))) continue
    await put(undefined)
    return size
  }
  return 0
}

async function hasBallast(): Promise<boolean> {
  return (await transact('readonly', ['files'], (at) => at('files').getKey(BALLAST_KEY))) !== undefined
}

/** Whether so many bytes can be stored; they are the ballast then. */
async function fits(size: number): Promise<boolean> {
  try {
    await put(noise(size))
    return true
  } catch (error) {
    if (!(error instanceof StorageFull)) throw error
    return false
  }
}

async function put(ballast: Uint8Array | undefined): Promise<void> {
  await transact('readwrite', ['files'], (at) => {
    if (ballast === undefined) at('files').delete(BALLAST_KEY)
    else at('files').put(ballast, BALLAST_KEY)
    return null
  })
}

/** Bytes that a browser cannot store in fewer: what compresses them sees no further back than they repeat. */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const part = 65_536
  crypto.getRandomValues(bytes.subarray(0, part))
  for (let at = part; at < size; at += part) bytes.copyWithin(at, 0, part)
  return bytes
}

async function transact<T>(
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
