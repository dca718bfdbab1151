import { type Files, StorageFull } from '@gongpin/core'

/** What WeChat gives a mini-program on one phone, for files and values together. */
const LIMIT = 200 * 1024 * 1024

const NO_ROOM = /maximum size|exceed|no space|limit|1300202/i

/** The error of a failed write as the core knows it. */
export function writeFailed(error: { errMsg?: string }): Error {
  const message = error.errMsg ?? String(error)
  return NO_ROOM.test(message) ? new StorageFull() : new Error(message)
}

/** The path of a folder of ours, made where it is missing. */
export function folder(name: string): string {
  const path = `${wx.env.USER_DATA_PATH}/${name}`
  try {
    wx.getFileSystemManager().accessSync(path)
  } catch {
    wx.getFileSystemManager().mkdirSync(path, true)
  }
  return path
}

/** Files below the app's own folder. A file is written under another name first, so that a crash leaves no half of it. */
export function openFiles(): Files {
  const manager = wx.getFileSystemManager()
  const root = folder('files')
  const unfinished = folder('unfinished')
  for (const name of manager.readdirSync(unfinished)) manager.unlinkSync(`${unfinished}/${name}`)

  const files: Files = {
    put: (id, bytes) =>
      new Promise((resolve, reject) => {
        const whole = bytes.byteLength === bytes.buffer.byteLength
        const data = (whole ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer
        const fail = (error: { errMsg?: string }) => reject(writeFailed(error))
        manager.writeFile({
          filePath: `${unfinished}/${id}`,
          data,
          success: () =>
            manager.rename({ oldPath: `${unfinished}/${id}`, newPath: `${root}/${id}`, success: () => resolve(), fail }),
          fail,
        })
      }),
    get: (id) =>
      new Promise((resolve) =>
        manager.readFile({
          filePath: `${root}/${id}`,
          success: ({ data }) => resolve(new Uint8Array(data as ArrayBuffer)),
          fail: () => resolve(undefined),
        }),
      ),
    size: (id) =>
      new Promise((resolve) =>
        manager.stat({
          path: `${root}/${id}`,
          success: ({ stats }) => resolve((stats as WechatMiniprogram.Stats).size),
          fail: () => resolve(undefined),
        }),
      ),
    remove: (id) =>
      new Promise((resolve) =>
        manager.unlink({ filePath: `${root}/${id}`, success: () => resolve(), fail: () => resolve() }),
      ),
    url: async (id) => ((await files.size(id)) === undefined ? undefined : `${root}/${id}`),
    ids: () =>
      new Promise((resolve) =>
        manager.readdir({ dirPath: root, success: (found) => resolve(found.files), fail: () => resolve([]) }),
      ),
    async room() {
      const sizes = await Promise.all((await files.ids()).map((id) => files.size(id)))
      const { currentSize } = wx.getStorageInfoSync()
      return { used: sizes.reduce<number>((sum, size) => sum + (size ?? 0), currentSize * 1024), limit: LIMIT }
    },
  }
  return files
}
