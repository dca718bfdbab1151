import type { Files } from '@gongpin/core'

import { inDatabase, roomLeft } from './database'

/** Bytes in IndexedDB: a `blob:` address dies with the page, so none is ever kept. */
export function openFiles(): Files {
  const urls = new Map<string, string>()

  function forget(id: string) {
    const url = urls.get(id)
    if (url) URL.revokeObjectURL(url)
    urls.delete(id)
  }

  const files: Files = {
    async put(id, bytes) {
      await inDatabase('readwrite', ['files', 'sizes'], (at) => {
        at('files').put(bytes, id)
        at('sizes').put(bytes.byteLength, id)
        return null
      })
      forget(id)
    },
    get: async (id) =>
      (await inDatabase('readonly', ['files'], (at) => at('files').get(id))) as Uint8Array | undefined,
    size: async (id) => (await inDatabase('readonly', ['sizes'], (at) => at('sizes').get(id))) as number | undefined,
    async remove(id) {
      await inDatabase('readwrite', ['files', 'sizes'], (at) => {
        at('files').delete(id)
        at('sizes').delete(id)
        return null
      })
      forget(id)
    },
    async url(id) {
      const made = urls.get(id)
      if (made) return made
      const bytes = await files.get(id)
      if (!bytes) return undefined
      const url = URL.createObjectURL(new Blob([bytes], { type: mediaType(bytes) }))
      urls.set(id, url)
      return url
    },
    ids: async () => ((await inDatabase('readonly', ['sizes'], (at) => at('sizes').getAllKeys())) ?? []).map(String),
    async room() {
      const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {}
      const left = await roomLeft()
      const limit = quota || Number.MAX_SAFE_INTEGER
      return { used: usage, limit: left === 'plenty' ? limit : Math.min(limit, usage + left) }
    },
  }
  return files
}

/** Of a picture, by its first bytes; an image element wants no more. */
function mediaType(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'image/jpeg'
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return 'image/png'
  return 'application/octet-stream'
}
