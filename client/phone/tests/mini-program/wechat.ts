/** The phone under a mini-program: what `wx` does outside of it, over real HTTP and in a real folder. */
import * as fs from 'node:fs'
import { basename, join } from 'node:path'

interface Told {
  success?: (answer: never) => void
  fail?: (error: { errMsg: string }) => void
  complete?: (answer: never) => void
}
type Asked = Told & Record<string, unknown>

/** WeChat's own errors begin like this. */
const failed = (name: string, why: string) => ({ errMsg: `${name}:fail ${why}` })

/** What stays on the phone when the mini-program is closed; `wx` for one launch comes from `launched`. */
export class WeChatPhone {
  readonly storage = new Map<string, unknown>()
  online = true
  /** Texts of the QR codes that will be before the camera, in this order. */
  scans: string[] = []
  /** Paths of the pictures that will be taken. */
  photos: string[] = []
  /** Paths of requests, with their method. */
  readonly requests: string[] = []
  /** Those that the server refused with 401. */
  readonly unauthenticated: string[] = []
  private networkListeners: ((state: { isConnected: boolean; networkType: string }) => void)[] = []
  private shots = 0

  /** `folder`: the phone's disk; `server`: `http://127.0.0.1:…`; `loginCode`: what WeChat gives this person. */
  constructor(
    private readonly folder: string,
    private readonly server: string,
    private readonly loginCode: () => Promise<string>,
  ) {
    for (const name of ['usr', 'tmp']) fs.mkdirSync(join(folder, name), { recursive: true })
  }

  network(online: boolean): void {
    this.online = online
    for (const listener of this.networkListeners) {
      listener({ isConnected: online, networkType: online ? '4g' : 'none' })
    }
  }

  /** The calls of one launch. After `alive()` became false their answers reach nobody. */
  launched(alive: () => boolean): Record<string, unknown> {
    this.networkListeners = []
    /** Answers `asked` like WeChat: later, by `success` or `fail`, then `complete`. */
    const answer = (asked: Asked, work: () => unknown) => {
      void Promise.resolve()
        .then(work)
        .then(
          (found) => [asked.success, { errMsg: 'ok', ...(found as object) }] as const,
          (error: { errMsg?: string; message?: string }) =>
            [asked.fail, { errMsg: error.errMsg ?? error.message ?? String(error) }] as const,
        )
        .then(([call, told]) => {
          if (!alive()) return
          call?.(told as never)
          asked.complete?.(told as never)
        })
    }
    const later = (work: (asked: Asked) => unknown) => (asked: Asked) => answer(asked, () => work(asked))
    return {
      ...this.storageCalls(later),
      ...this.networkCalls(answer),
      env: { USER_DATA_PATH: 'http://usr' },
      getFileSystemManager: () => this.fileSystem(later),
      getRandomValues: later(({ length }) => ({ randomValues: crypto.getRandomValues(new Uint8Array(length as number)).buffer })),
      login: later(async () => ({ code: await this.loginCode() })),
      scanCode: later(() => {
        const result = this.scans.shift()
        if (result === undefined) throw failed('scanCode', 'cancel')
        return { result, scanType: 'QR_CODE' }
      }),
      chooseMedia: later(() => {
        const path = this.photos.shift()
        if (path === undefined) throw failed('chooseMedia', 'cancel')
        const tempFilePath = `http://tmp/${(this.shots += 1)}.jpg`
        fs.copyFileSync(path, this.real(tempFilePath))
        return { tempFiles: [{ tempFilePath, size: fs.statSync(path).size }] }
      }),
      compressImage: later(({ src }) => ({ tempFilePath: src })),
      getLocation: later(() => {
        throw failed('getLocation', 'auth deny')
      }),
    }
  }

  private storageCalls(later: (work: (asked: Asked) => unknown) => (asked: Asked) => void) {
    const { storage } = this
    // WeChat keeps copies: what a program changes afterwards is not what it stored.
    const set = (key: unknown, data: unknown) => void storage.set(String(key), structuredClone(data))
    const get = (key: unknown) => structuredClone(storage.get(String(key)) ?? '')
    return {
      setStorageSync: set,
      getStorageSync: get,
      removeStorageSync: (key: string) => void storage.delete(key),
      getStorageInfoSync: () => ({ keys: [...storage.keys()], currentSize: 1, limitSize: 10_240 }),
      setStorage: later(({ key, data }) => set(key, data)),
      getStorage: later(({ key }) => {
        if (!storage.has(String(key))) throw failed('getStorage', 'data not found')
        return { data: get(key) }
      }),
      removeStorage: later(({ key }) => void storage.delete(String(key))),
    }
  }

  private networkCalls(answer: (asked: Asked, work: () => unknown) => void) {
    const ask = async (name: string, asked: Asked, init: RequestInit) => {
      const { url, timeout = 60_000 } = asked as { url: string; timeout?: number }
      this.requests.push(`${init.method} ${url}`)
      if (!this.online) throw failed(name, 'net::ERR_INTERNET_DISCONNECTED')
      const signal = AbortSignal.timeout(timeout)
      try {
        const found = await fetch(this.server + url, { ...init, signal, redirect: 'manual' })
        if (found.status === 401) this.unauthenticated.push(`${init.method} ${url}`)
        return { statusCode: found.status, header: Object.fromEntries(found.headers), data: await found.text() }
      } catch (error) {
        throw failed(name, (error as Error).name === 'TimeoutError' ? 'timeout' : 'net::ERR_CONNECTION_RESET')
      }
    }
    return {
      request: (asked: Asked) => {
        const { method, header, data } = asked as { method: string; header: Record<string, string>; data?: string }
        if (method === 'PATCH') throw new Error('wx.request sends no PATCH')
        answer(asked, () => ask('request', asked, { method, headers: header, body: data ?? null }))
      },
      uploadFile: (asked: Asked) => {
        const { filePath, name, header, formData } = asked as {
          filePath: string; name: string; header: Record<string, string>; formData: Record<string, string>
        }
        const body = new FormData()
        for (const [key, value] of Object.entries(formData ?? {})) body.append(key, value)
        body.append(name, new Blob([fs.readFileSync(this.real(filePath))], { type: 'image/jpeg' }), basename(filePath))
        answer(asked, () => ask('uploadFile', asked, { method: 'POST', headers: header, body }))
        return { onProgressUpdate: () => undefined }
      },
      getNetworkType: (asked: Asked) => answer(asked, () => ({ networkType: this.online ? '4g' : 'none' })),
      onNetworkStatusChange: (listener: (typeof this.networkListeners)[number]) => this.networkListeners.push(listener),
    }
  }

  private real(path: string): string {
    const [, disk, inside] = /^http:\/\/(usr|tmp)(\/.*)?$/.exec(path) ?? []
    if (disk === undefined) throw failed('file', `no such file or directory ${path}`)
    return join(this.folder, disk, inside ?? '')
  }

  private fileSystem(later: (work: (asked: Asked) => unknown) => (asked: Asked) => void) {
    const real = (path: unknown) => this.real(String(path))
    const read = (path: string, encoding?: string) => {
      const bytes = fs.readFileSync(real(path))
      return encoding ? bytes.toString('utf8') : Uint8Array.from(bytes).buffer
    }
    return {
      accessSync: (path: string) => fs.accessSync(real(path)),
      mkdirSync: (path: string, recursive: boolean) => void fs.mkdirSync(real(path), { recursive }),
      readdirSync: (path: string) => fs.readdirSync(real(path)),
      readFileSync: read,
      unlinkSync: (path: string) => fs.unlinkSync(real(path)),
      copyFileSync: (from: string, to: string) => fs.copyFileSync(real(from), real(to)),
      readFile: later(({ filePath, encoding }) => ({ data: read(filePath as string, encoding as string | undefined) })),
      writeFile: later(({ filePath, data }) =>
        fs.writeFileSync(real(filePath), typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer)),
      ),
      rename: later(({ oldPath, newPath }) => fs.renameSync(real(oldPath), real(newPath))),
      unlink: later(({ filePath }) => fs.unlinkSync(real(filePath))),
      readdir: later(({ dirPath }) => ({ files: fs.readdirSync(real(dirPath)) })),
      stat: later(({ path }) => ({ stats: { size: fs.statSync(real(path)).size } })),
    }
  }
}
