/** JSON Pointers (RFC 6901). */

// A key of a body may hold anything JSON can write; what UTF-8 cannot carry, and overlong keys, are cut.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\ud800-\udfff]/gu
const MAX_TOKEN = 100

/** `pointer('answers', '1.1')` is `/answers/1.1`; `~` and `/` inside a token are escaped. */
export function pointer(...tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('')
}

/** The tokens of a pointer; none for the empty pointer, which means the whole body. */
export function tokensOf(path: string): string[] {
  return path.split('/').slice(1).map((token) => token.replace(/~1/g, '/').replace(/~0/g, '~'))
}

/** An unknown key of a body as it may be shown: at most 100 characters, no control characters. */
export function showable(key: string): string {
  return Array.from(key).slice(0, MAX_TOKEN).join('').replace(UNPRINTABLE, '\ufffd')
}

/** Whether `path` is `at` or lies inside it. */
export function isWithin(path: string, at: string): boolean {
  return path === at || path.startsWith(`${at}/`)
}

/** Orders texts by their code points, as Python does; JavaScript alone would order by halves of characters. */
export function byCodePoints(one: string, other: string): number {
  const left = Array.from(one)
  const right = Array.from(other)
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = (left[index]!.codePointAt(0) ?? 0) - (right[index]!.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
