import { strToU8, zipSync } from 'fflate'
import { Problem } from '../api/problem'
import { FILE_MISSING, type Attachment, type Attachments } from '../attachments/attachments'
import { newId } from '../ids'
import type { Platform } from '../platform'
import type { Me } from '../session/session'
import { encryptTo } from './age'
import type { Entry } from './entry'

/** One file of an export; an officer of the same office imports the parts in their order. */
export interface ExportedPart {
  /** `gongpin-20261129-1402-username-1of2.age` */
  name: string
  bytes: Uint8Array
}

/** Below the 20 MiB of an upload, with the manifest and the seals. */
const LARGEST = 17 * 1024 * 1024
const MOST_RECORDS = 200
const MOST_FILES = 400

interface Part {
  records: Entry[]
  files: Attachment[]
  size: number
}

/**
 * 导出未发送: the waiting records of a person with their photos, sealed to the server's key (`recipient`), so that an
 * officer can carry them when this phone finds no network. Everything stays in the outbox: what is imported and sent is
 * one record all the same. Raises `Problem` (`file_missing`) where a photo is lost.
 */
export async function exportWaiting(
  platform: Platform,
  attachments: Attachments,
  entries: readonly Entry[],
  author: Me,
  recipient: string,
): Promise<ExportedPart[]> {
  const parts = await divided(attachments, entries)
  const exportId = newId(platform)
  const at = new Date(platform.clock.now()).toISOString()
  const stamp = at.slice(0, 16).replace(/[-:]/g, '').replace('T', '-')
  const made: ExportedPart[] = []
  for (const [place, part] of parts.entries()) {
    const manifest = {
      ...{ format: 'gongpin-outbox', version: 1, export_id: exportId, part: place + 1, parts: parts.length },
      exported_at: at,
      author: { id: author.id, username: author.username, operator_name: author.operator_name },
      records: part.records.map(recordOf),
      files: part.files.map(fileOf),
    }
    const zip: { [path: string]: Uint8Array } = { 'manifest.json': strToU8(JSON.stringify(manifest)) }
    for (const file of part.files) {
      const bytes = await platform.files.get(file.id)
      if (bytes === undefined) throw new Problem(422, FILE_MISSING, `照片“${file.name}”已不在手机上，请删除后重新拍摄`)
      zip[`files/${file.id}`] = bytes
    }
    made.push({
      name: `gongpin-${stamp}-${author.username}-${place + 1}of${parts.length}.age`,
      bytes: encryptTo(recipient, zipSync(zip, { level: 0 }), (length) => platform.randomBytes(length)),
    })
  }
  return made
}

/** In the order of sending; a file stands in the part of the record that names it first, or in one before. */
async function divided(attachments: Attachments, entries: readonly Entry[]): Promise<Part[]> {
  const parts: Part[] = []
  let part: Part = { records: [], files: [], size: 0 }
  const close = (): void => {
    if (part.records.length + part.files.length > 0) parts.push(part)
    part = { records: [], files: [], size: 0 }
  }
  for (const entry of entries) {
    for (const id of entry.files) {
      const file = await attachments.get(id)
      // What the server has already needs no carrying.
      if (file === undefined || file.uploadedAt !== null) continue
      if (part.size + file.size > LARGEST || part.files.length === MOST_FILES) close()
      part.files.push(file)
      part.size += file.size
    }
    const size = JSON.stringify(entry.call).length * 3
    if (part.size + size > LARGEST || part.records.length === MOST_RECORDS) close()
    part.records.push(entry)
    part.size += size
  }
  close()
  return parts
}

function recordOf({ id, call, createdAt, files }: Entry): object {
  const path = call.path.replace(/^\/api\/v1/, '')
  return { id, method: call.method, path, body: call.body, created_at: new Date(createdAt).toISOString(), files }
}

function fileOf({ id, purpose, name, mediaType, size, sha256, takenAt }: Attachment): object {
  return { id, purpose, name, media_type: mediaType, size, sha256, taken_at: new Date(takenAt).toISOString() }
}
