import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { base64nopad, bech32 } from '@scure/base'
import { strToU8 } from 'fflate'
import { x25519 } from '@noble/curves/ed25519.js'

const CHUNK = 64 * 1024
const RECIPIENT = 'age'

/**
 * Encrypts bytes to a recipient (`age1…`) as an age v1 file (age-encryption.org/v1). Written over audited primitives,
 * because the library of that name needs streams and WebCrypto, which a mini-program has not. Raises `TypeError` for a
 * text that is no recipient.
 */
export function encryptTo(
  recipient: string,
  content: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  const theirs = publicKeyOf(recipient)
  const [fileKey, secret, nonce] = [randomBytes(16), randomBytes(32), randomBytes(16)]
  const share = x25519.getPublicKey(secret)
  const wrapKey = hkdf(
    sha256,
    x25519.getSharedSecret(secret, theirs),
    joined([share, theirs]),
    ascii('age-encryption.org/v1/X25519'),
    32,
  )
  const wrapped = chacha20poly1305(wrapKey, new Uint8Array(12)).encrypt(fileKey)
  const stanza = `-> X25519 ${base64nopad.encode(share)}\n${base64nopad.encode(wrapped)}\n`
  const header = `age-encryption.org/v1\n${stanza}---`
  const mac = hmac(sha256, hkdf(sha256, fileKey, new Uint8Array(0), ascii('header'), 32), ascii(header))
  const payloadKey = hkdf(sha256, fileKey, nonce, ascii('payload'), 32)
  return joined([ascii(`${header} ${base64nopad.encode(mac)}\n`), nonce, ...chunks(payloadKey, content)])
}

/** Each chunk is sealed under its number; the last one says that it is. Only an empty file has an empty chunk. */
function* chunks(key: Uint8Array, content: Uint8Array): Iterable<Uint8Array> {
  const last = Math.max(0, Math.ceil(content.length / CHUNK) - 1)
  for (let number = 0; number <= last; number += 1) {
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setUint32(7, number)
    nonce[11] = number === last ? 1 : 0
    yield chacha20poly1305(key, nonce).encrypt(content.subarray(number * CHUNK, (number + 1) * CHUNK))
  }
}

function publicKeyOf(recipient: string): Uint8Array {
  let found: { prefix: string; bytes: Uint8Array }
  try {
    found = bech32.decodeToBytes(recipient)
  } catch {
    throw new TypeError('not an age recipient')
  }
  if (found.prefix !== RECIPIENT || found.bytes.length !== 32) throw new TypeError('not an age recipient')
  return found.bytes
}

function ascii(text: string): Uint8Array {
  return strToU8(text, true)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
