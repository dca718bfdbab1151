/** Pictures that the server keeps. They need the token, which an image component does not send, so they are fetched here. */

const MOST = 80
const TIMEOUT = 30_000
const addresses = new Map<string, string>()

/** An address that an image component can show until the app is closed; undefined where the picture cannot be had now. */
export async function picture(path: string, token: string): Promise<string | undefined> {
  const known = addresses.get(path)
  if (known) return known
  const address = await fetched(path, token)
  if (address) remember(path, address)
  return address
}

function remember(path: string, address: string) {
  addresses.set(path, address)
  const [oldest] = addresses.keys()
  if (addresses.size <= MOST || oldest === undefined) return
  // #ifdef H5
  URL.revokeObjectURL(addresses.get(oldest)!)
  // #endif
  addresses.delete(oldest)
}

async function fetched(path: string, token: string): Promise<string | undefined> {
  const header = { authorization: `Bearer ${token}` }
  // #ifdef H5
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT)
  try {
    const answer = await fetch(path, { headers: header, signal: abort.signal, redirect: 'error', credentials: 'omit' })
    return answer.ok ? URL.createObjectURL(await answer.blob()) : undefined
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
  // #endif
  // #ifndef H5
  return new Promise((resolve) =>
    uni.downloadFile({
      url: `${import.meta.env.VITE_SERVER ?? ''}${path}`,
      header,
      timeout: TIMEOUT,
      success: ({ statusCode, tempFilePath }) => resolve(statusCode === 200 ? tempFilePath : undefined),
      fail: () => resolve(undefined),
    }),
  )
  // #endif
}
