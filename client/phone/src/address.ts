/** Addresses of pages with parameters, and the parameters as a page receives them. */

/** `page?name=value…`, percent-encoded; what is empty or not given is left out. */
export function pageAddress(page: string, query: Record<string, string | null | undefined>): string {
  const given = Object.entries(query).filter((one): one is [string, string] => !!one[1])
  return page + (given.length ? '?' : '') + given.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')
}

/** The parameters that `onLoad` receives; a mini-program hands them over as they stand in the address. */
export function parameters(query: Record<string, unknown> | undefined): Record<string, string | undefined> {
  const texts = Object.entries(query ?? {}).map(([key, value]) => [key, String(value)] as const)
  // #ifdef MP-WEIXIN
  return Object.fromEntries(texts.map(([key, value]) => [key, decodeURIComponent(value)]))
  // #endif
  // #ifndef MP-WEIXIN
  return Object.fromEntries(texts)
  // #endif
}
