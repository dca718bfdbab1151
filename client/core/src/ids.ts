import type { Platform } from './platform'

/** A new UUID (version 7: the time first, so that the server's index grows at its end), random from the platform. */
export function newId({ clock, randomBytes }: Pick<Platform, 'clock' | 'randomBytes'>): string {
  const bytes = randomBytes(16)
  let time = clock.now()
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = time % 256
    time = Math.floor(time / 256)
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f)
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
