/** Notes of a camera (EXIF 2.32) in a JPEG that has none: when and where it was taken. */

export interface PhotoNotes {
  /** Milliseconds since 1970. */
  takenAt: number
  /** Degrees, WGS 84; null where the phone was not told where it is. */
  place: { latitude: number; longitude: number } | null
}

const [ASCII, LONG, RATIONAL] = [2, 4, 5]
const CHINA = 8 * 3_600_000

interface Entry {
  tag: number
  type: number
  count: number
  bytes: number[]
}

/** The JPEG with the notes behind its start marker; anything else is returned as it is. */
export function withNotes(jpeg: Uint8Array, notes: PhotoNotes): Uint8Array {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return jpeg
  const tiff = directories(notes)
  const length = 2 + 6 + tiff.length
  const segment = [0xff, 0xe1, length >> 8, length & 0xff, ...latin('Exif\0\0'), ...tiff]
  const out = new Uint8Array(jpeg.length + segment.length)
  out.set(jpeg.subarray(0, 2))
  out.set(segment, 2)
  out.set(jpeg.subarray(2), 2 + segment.length)
  return out
}

/** A TIFF of big-endian order: main directory, details (time), place. */
function directories({ takenAt, place }: PhotoNotes): number[] {
  const local = new Date(takenAt + CHINA).toISOString()
  const written = `${local.slice(0, 10).replace(/-/g, ':')} ${local.slice(11, 19)}`
  const details = [text(0x9003, written), text(0x9011, '+08:00')]
  const where = place === null ? [] : [
    text(1, place.latitude < 0 ? 'S' : 'N'), degrees(2, place.latitude),
    text(3, place.longitude < 0 ? 'W' : 'E'), degrees(4, place.longitude),
  ]
  const pointers = where.length === 0 ? 1 : 2
  const start = 8
  const detailsAt = start + sizeOf(pointers)
  const detailsBytes = directory(details, detailsAt)
  const whereAt = detailsAt + detailsBytes.length
  const main = [long(0x8769, detailsAt), ...(where.length === 0 ? [] : [long(0x8825, whereAt)])]
  const whereBytes = where.length === 0 ? [] : directory(where, whereAt)
  return [...latin('MM'), 0, 42, ...uint32(start), ...directory(main, start), ...detailsBytes, ...whereBytes]
}

function sizeOf(entries: number): number {
  return 2 + 12 * entries + 4
}

/** A directory at a place of the file; values of more than four bytes stand behind it. */
function directory(entries: Entry[], at: number): number[] {
  const head = [entries.length >> 8, entries.length & 0xff]
  const behind: number[] = []
  for (const { tag, type, count, bytes } of entries) {
    const value = bytes.length <= 4 ? [...bytes, 0, 0, 0, 0].slice(0, 4) : uint32(at + sizeOf(entries.length) + behind.length)
    if (bytes.length > 4) behind.push(...bytes, ...(bytes.length % 2 === 1 ? [0] : []))
    head.push(tag >> 8, tag & 0xff, 0, type, ...uint32(count), ...value)
  }
  return [...head, 0, 0, 0, 0, ...behind]
}

function text(tag: number, value: string): Entry {
  const bytes = latin(`${value}\0`)
  return { tag, type: ASCII, count: bytes.length, bytes }
}

function long(tag: number, value: number): Entry {
  return { tag, type: LONG, count: 1, bytes: uint32(value) }
}

/** Degrees, minutes, and seconds to a ten-thousandth, as three fractions. */
function degrees(tag: number, value: number): Entry {
  const total = Math.round(Math.abs(value) * 36_000_000)
  const parts = [[Math.floor(total / 36_000_000), 1], [Math.floor(total / 600_000) % 60, 1], [total % 600_000, 10_000]]
  return { tag, type: RATIONAL, count: 3, bytes: parts.flatMap(([above, below]) => [...uint32(above!), ...uint32(below!)]) }
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function latin(value: string): number[] {
  return Array.from(value, (one) => one.charCodeAt(0))
}
