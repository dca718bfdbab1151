import { type Json, type Store } from '@gongpin/core'

import { folder, writeFailed } from './files'

/** Before each key of ours: `wx.setStorage` holds other things too. */
const MARK = 'kept:'
/** WeChat takes 1 MB a value and 10 MB in all: what is longer than this many characters goes to a file of its own. */
const LONG = 50_000

interface InFile {
  $file: string
}

/**
 * Values in WeChat's storage, as JSON text. A long one stands in a file with a new name each time, and its key names
 * that file: whatever moment the app ends, the key leads to a whole value, the former or the new one.
 */
export function openStore(): Store {
  const manager = wx.getFileSystemManager()
  const root = folder('values')
  let count = Date.now()

  const raw = (key: string) => wx.getStorageSync<string | InFile | ''>(MARK + key)

  function read(found: string | InFile | ''): Json | undefined {
    if (found === '') return undefined
    if (typeof found === 'string') return JSON.parse(found) as Json
    return JSON.parse(manager.readFileSync(`${root}/${found.$file}`, 'utf8') as string) as Json
  }

  function drop(found: string | InFile | '') {
    if (typeof found === 'string') return
    try {
      manager.unlinkSync(`${root}/${found.$file}`)
    } catch {
      // A file that is gone already is what was wanted.
    }
  }

  function set(key: string, data: string | InFile): Promise<void> {
    return new Promise((resolve, reject) =>
      wx.setStorage({ key: MARK + key, data, success: () => resolve(), fail: (error) => reject(writeFailed(error)) }),
    )
  }

  function toFile(text: string): Promise<InFile> {
    count += 1
    const name = `${count}.json`
    return new Promise((resolve, reject) =>
      manager.writeFile({
        filePath: `${root}/${name}`, data: text, encoding: 'utf8',
        success: () => resolve({ $file: name }), fail: (error) => reject(writeFailed(error)),
      }),
    )
  }

  const keys = (prefix: string) =>
    wx
      .getStorageInfoSync()
      .keys.filter((key) => key.startsWith(MARK + prefix))
      .map((key) => key.slice(MARK.length))
      .sort((one, other) => (one < other ? -1 : 1))

  /** Files that no key names: the app ended between writing one and naming it. */
  function sweep() {
    const named = new Set(keys('').map((key) => raw(key)).map((found) => (found as InFile).$file))
    for (const name of manager.readdirSync(root)) {
      if (!named.has(name)) drop({ $file: name })
    }
  }
  sweep()

  return {
    get: async (key) => read(raw(key)),
    async list(prefix) {
      return keys(prefix).flatMap((key): [string, Json][] => {
        const value = read(raw(key))
        return value === undefined ? [] : [[key, value]]
      })
    },
    keys: async (prefix) => keys(prefix),
    async write(changes) {
      for (const [key, value] of changes) {
        const before = raw(key)
        if (value === undefined) {
          wx.removeStorageSync(MARK + key)
        } else {
          const text = JSON.stringify(value)
          await set(key, text.length > LONG ? await toFile(text) : text)
        }
        drop(before)
      }
    },
    // A mini-program runs once on a phone.
    watch: () => () => undefined,
  }
}
