/** The server's calls from a desk, and what a person is told when one did not succeed. */
import { Api, type Files, Problem, Unreachable } from '@gongpin/core'
import { openTransport } from '@gongpin/core/browser'

import { refused, session } from './session'

/** Files are uploaded as they are chosen; nothing is kept in the browser beyond the page. */
const chosen = new Map<string, Uint8Array>()
const files: Pick<Files, 'get'> = { get: (id) => Promise.resolve(chosen.get(id)) }

export const api = new Api(
  {
    transport: openTransport(files as Files),
    clock: {
      now: () => Date.now(),
      after(milliseconds, work) {
        const timer = setTimeout(work, milliseconds)
        return () => clearTimeout(timer)
      },
    },
  },
  { token: () => session.token ?? undefined, refused },
)

/** A file of the server as an address that this page can show; the caller revokes it. */
export async function fetched(path: string): Promise<{ url: string; type: string }> {
  const answer = await fetch(path, {
    headers: session.token ? { authorization: `Bearer ${session.token}` } : {},
    signal: AbortSignal.timeout(60_000),
  }).catch(() => {
    throw new Unreachable(navigator.onLine ? 'cut' : 'offline')
  })
  if (answer.status === 401 && session.token) refused(session.token)
  if (!answer.ok) throw new Problem(answer.status, 'not_shown', '这份文件无法在此预览，请下载后查看。')
  const blob = await answer.blob()
  return { url: URL.createObjectURL(blob), type: blob.type.split(';')[0] ?? '' }
}

/** Uploads a file for a purpose (`purposes` of a category of documents); the id it has from then on. */
export async function upload(file: File, purpose: string, onProgress: (share: number) => void): Promise<string> {
  const id = crypto.randomUUID()
  chosen.set(id, new Uint8Array(await file.arrayBuffer()))
  try {
    const mediaType = file.type || 'application/octet-stream'
    return (await api.upload({ id, name: file.name, mediaType }, purpose, onProgress)).body.id
  } finally {
    chosen.delete(id)
  }
}

/** One sentence on an error of a call; our own faults are not hidden: they go on. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Problem) return error.errors[0]?.message ?? error.title
  if (error instanceof Unreachable) {
    return error.reason === 'offline' ? '没有网络。请连上网络后再试。' : '服务器暂时没有回应。请稍后再试。'
  }
  throw error
}
