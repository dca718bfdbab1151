/**
 * What `client/core/` asks of the machine it runs on. A phone implements it twice (mini-program, H5), tests once more
 * in memory; nothing else in `client/core/` touches a global of a browser or of WeChat.
 */

/** What can be kept: JSON, nothing else. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** One HTTP request. */
export interface HttpRequest {
  method: Method
  /** From the root of the server: `/api/v1/…?…`, percent-encoded. */
  path: string
  headers: Record<string, string>
  /** The body as JSON text; absent where there is none. */
  body?: string
  /** Milliseconds after which the request is given up with `reason: "timeout"`. */
  timeout: number
}

/** Any answer of a server, whatever its status. */
export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
}

/** One file that is uploaded as `multipart/form-data`; its part is called `file`. */
export interface UploadRequest {
  path: string
  headers: Record<string, string>
  /** The other parts. */
  fields: Record<string, string>
  /** The id under which `Files` has the bytes, and the name and media type of the part. */
  file: { id: string; name: string; mediaType: string }
  timeout: number
  /** Called with the share that was sent, 0 to 1. */
  onProgress?: (share: number) => void
}

/**
 * No answer came: no network, given up after the timeout, or cut. Whether the server did what was asked is not known.
 */
export class NoAnswer extends Error {
  constructor(readonly reason: 'offline' | 'timeout' | 'cut') {
    super(reason)
    this.name = 'NoAnswer'
  }
}

/** Both calls settle with the answer, or reject with `NoAnswer` and nothing else. Redirects are not followed. */
export interface Transport {
  request(request: HttpRequest): Promise<HttpAnswer>
  upload(request: UploadRequest): Promise<HttpAnswer>
}

/** A write for which there was no room; nothing of it was stored. */
export class StorageFull extends Error {
  constructor() {
    super('storage full')
    this.name = 'StorageFull'
  }
}

/** Bytes used, and bytes that may be used in all. */
export interface Room {
  used: number
  limit: number
}

/**
 * Values that survive the end of the app and of the machine. A write has reached the disk when it resolves; reads see
 * every write that resolved before, also that of another tab.
 */
export interface Store {
  get(key: string): Promise<Json | undefined>
  /** All values whose key begins with `prefix`, by key in the order of code units. */
  list(prefix: string): Promise<[string, Json][]>
  /** Keys alone, in the same order. */
  keys(prefix: string): Promise<string[]>
  /**
   * Sets each key, or removes it where the value is undefined. In the order of the entries; all or nothing where the
   * machine can do that (IndexedDB), otherwise a crash may leave the first ones only: callers order them so that this
   * loses nothing. Rejects with `StorageFull`.
   */
  write(changes: readonly (readonly [string, Json | undefined])[]): Promise<void>
  /** Called with the keys that another tab wrote; never called where there is only one. Returns how to stop. */
  watch(listener: (keys: string[]) => void): () => void
}

/** Bytes by id, beside `Store`. */
export interface Files {
  /** Stores all bytes, or none. Again under the same id: they replace the former ones. Rejects with `StorageFull`. */
  put(id: string, bytes: Uint8Array): Promise<void>
  get(id: string): Promise<Uint8Array | undefined>
  /** Bytes, or undefined where there is no such file. */
  size(id: string): Promise<number | undefined>
  remove(id: string): Promise<void>
  /** An address that an image component can show until the app is closed. */
  url(id: string): Promise<string | undefined>
  ids(): Promise<string[]>
  /** Room for `Store` and `Files` together. */
  room(): Promise<Room>
}

/** One at a time, over all tabs (Web Locks on H5; a queue of promises in a mini-program). */
export interface Locks {
  /** Waits for its turn and holds it until `work` settles. Not reentrant. A tab that dies gives its turn back. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>
}

export interface Network {
  /** Whether the machine believes it has a network; only an answer proves it. */
  online(): boolean
  /** Called when that changes, and when the app comes to the front again. Returns how to stop. */
  watch(listener: (online: boolean) => void): () => void
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `work` once after so many milliseconds; returns how to cancel. */
  after(milliseconds: number, work: () => void): () => void
}

export interface Platform {
  transport: Transport
  store: Store
  files: Files
  locks: Locks
  network: Network
  clock: Clock
  /** Cryptographically random bytes, at once (a mini-program keeps a pool filled from `wx.getRandomValues`). */
  randomBytes(length: number): Uint8Array
}
