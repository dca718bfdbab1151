/** Pictures that the server keeps. They need the token, which an image component does not send, so they are fetched here. */
import type { Api } from '@gongpin/core'

const MOST = 80
const TIMEOUT = 30_000
const addresses = new Map<string, string>()

/** An address that an image component can show until the app is closed; undefined where the picture cannot be had now. */
export async function picture(
  api: Pick<Api, 'authorized'>,
  path: string,
  token: string,
): Promise<string | undefined> {
  const known = addresses.get(path)
  if (known) return known
  const { address } = await api.authorized(token, (used) => fetched(path, used), ({ status }) => status === 401)
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

/** `status`: 0 where no answer came. */
interface Fetched {
  status: number
  address?: string
}

async function fetched(path: string, token: string | undefined): Promise<Fetched> {
  const header = { authorization: `Bearer ${token}` }
  // #ifdef H5
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT)
  try {
    const answer = await fetch(path, { headers: header, signal: abort.signal, redirect: 'error', credentials: 'omit' })
    return { status: answer.status, ...(answer.ok ? { address: URL.createObjectURL(await answer.blob()) } : {}) }
  } catch {
    return { status: 0 }
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
      success: ({ statusCode, tempFilePath }) =>
        resolve({ status: statusCode, ...(statusCode === 200 ? { address: tempFilePath } : {}) }),
      fail: () => resolve({ status: 0 }),
    }),
  )
  // #endif
}
