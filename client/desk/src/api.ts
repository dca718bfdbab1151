/** The server's calls from a desk, and what a person is told when one did not succeed. */
import { type AnswerOf, Api, type Files, type PathWith, Problem, Unreachable } from '@gongpin/core'
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

/** Sends a filled-in table (.xlsx, .csv) to a call that takes nothing else. */
export async function sendTable<P extends PathWith<'post'>>(path: P, file: File): Promise<AnswerOf<P, 'post'>> {
  const id = crypto.randomUUID()
  chosen.set(id, new Uint8Array(await file.arrayBuffer()))
  try {
    return (await api.sendFile(path, { id, name: file.name, mediaType: file.type || 'application/octet-stream' })).body
  } finally {
    chosen.delete(id)
  }
}

/** Saves a file of the server under a name, as a download. */
export async function save(path: string, name: string): Promise<void> {
  const { url } = await fetched(path)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Opens a paper in a tab of its own, where the browser prints it. */
export async function openPaper(path: string): Promise<void> {
  const { url } = await fetched(path)
  window.open(url, '_blank')
  setTimeout(() => URL.revokeObjectURL(url), 600_000)
}
