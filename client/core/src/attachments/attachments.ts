import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Api } from '../api/client'
import { Problem } from '../api/problem'
import { newId } from '../ids'
import { Listeners } from '../listeners'
import { type Json, type Platform, StorageFull } from '../platform'

/** Where a picture was taken, in degrees (WGS 84); `accuracy` in metres. */
export interface Place {
  latitude: number
  longitude: number
  accuracy: number | null
}

/** A file that was taken on this phone (photo, signature, document), and what is known of it. */
export interface Attachment {
  id: string
  /** What `POST /files` calls it: `photo`, `signature`, … */
  purpose: string
  name: string
  mediaType: string
  /** Bytes. */
  size: number
  sha256: string
  /** Milliseconds since 1970. */
  takenAt: number
  /** Null where the phone was not told where it is. */
  place: Place | null
  /** Operator or user name. */
  takenBy: string
  /** When the server last confirmed that it has it; null before. */
  uploadedAt: number | null
}

export interface NewAttachment {
  bytes: Uint8Array
  purpose: string
  name: string
  mediaType: string
  place?: Place | null
  takenBy: string
}

/** How far an upload is, 0 to 1. */
export interface UploadProgress {
  id: string
  share: number
}

/** The bytes of a file that a record names are neither on this phone nor, as far as it knows, on the server. */
export const FILE_MISSING = 'file_missing'

/** Photos and other files of one person on this phone: stored at once, sent when there is a network. */
export class Attachments {
  private readonly listeners = new Listeners<UploadProgress>()

  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly scope: string,
  ) {}

  /** Stores a new file. Rejects with `StorageFull` where there is no room; nothing is stored then. */
  async add({ bytes, place = null, ...said }: NewAttachment): Promise<Attachment> {
    const attachment: Attachment = {
      ...said,
      id: newId(this.platform),
      size: bytes.length,
      sha256: bytesToHex(sha256(bytes)),
      takenAt: this.platform.clock.now(),
      place,
      uploadedAt: null,
    }
    // While it is swept nothing is added, or its bytes would be taken for ones that nobody knows.
    await this.platform.locks.exclusively(SWEEPING, async () => {
      await this.platform.files.put(attachment.id, bytes)
      try {
        await this.write(attachment)
      } catch (error) {
        await this.platform.files.remove(attachment.id)
        throw error
      }
    })
    return attachment
  }

  async get(id: string): Promise<Attachment | undefined> {
    return (await this.platform.store.get(this.key(id))) as unknown as Attachment | undefined
  }

  async list(): Promise<Attachment[]> {
    const kept = await this.platform.store.list(this.key(''))
    return kept.map(([, value]) => value as unknown as Attachment)
  }

  /** For an image component; undefined where the bytes are not on this phone. */
  url(id: string): Promise<string | undefined> {
    return this.platform.files.url(id)
  }

  /** Removes files from this phone; what the server has of them it keeps. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.platform.files.remove(id)
      await this.platform.store.write([[this.key(id), undefined]])
    }
  }

  /**
   * Makes sure that the server has the file; nothing is sent where it is known to. A file that is not of this phone is
   * taken to be on the server. Raises `Problem` (`file_missing` where the bytes are lost) and `Unreachable`.
   */
  async upload(id: string, token: string): Promise<void> {
    const attachment = await this.get(id)
    if (attachment === undefined || attachment.uploadedAt !== null) return
    if ((await this.platform.files.size(id)) === undefined) {
      throw new Problem(422, FILE_MISSING, `照片“${attachment.name}”已不在手机上，请删除后重新拍摄`)
    }
    const tell = (share: number) => this.listeners.tell({ id, share })
    const file = { id, name: attachment.name, mediaType: attachment.mediaType }
    await this.api.upload(file, attachment.purpose, tell, token)
    try {
      await this.write({ ...attachment, uploadedAt: this.platform.clock.now() })
    } catch (error) {
      // Without the note the same bytes are sent once more, which the server takes for what it is.
      if (!(error instanceof StorageFull)) throw error
    }
    tell(1)
  }

  /** The server no longer has them (it sweeps what no record claims after a day): they are sent again. */
  async forgetUploads(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const attachment = await this.get(id)
      if (attachment !== undefined) await this.write({ ...attachment, uploadedAt: null })
    }
  }

  watch(listener: (progress: UploadProgress) => void): () => void {
    return this.listeners.add(listener)
  }

  private key(id: string): string {
    return `${this.scope}file/${id}`
  }

  private write(attachment: Attachment): Promise<void> {
    return this.platform.store.write([[this.key(attachment.id), attachment as unknown as Json]])
  }
}

const SWEEPING = 'files'

/** Removes bytes of which no person on this phone knows: what a crash left. To be called when the app starts. */
export function sweepFiles({ locks, store, files }: Pick<Platform, 'locks' | 'store' | 'files'>): Promise<void> {
  return locks.exclusively(SWEEPING, async () => {
    const known = new Set((await store.keys('u/')).map((key) => key.slice(key.lastIndexOf('/') + 1)))
    for (const id of await files.ids()) if (!known.has(id)) await files.remove(id)
  })
}
