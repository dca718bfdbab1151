/** Printed papers (打印) of the server: a browser saves the PDF, a mini-program opens it in WeChat's reader, which prints and sends it on. */
import type { Api } from '@gongpin/core'

const TIMEOUT = 60_000
const NO_ANSWER = '没有连上服务器，请联网后再打印。'

/** What is wrong, as a sentence; null where the paper was handed over. */
export async function openPaper(api: Pick<Api, 'authorized'>, path: string, name: string, token: string): Promise<string | null> {
  return (await api.authorized(token, (used) => fetched(path, name, used), ({ status }) => status === 401)).fault
}

/** Where the paper is now. */
export function handedOver(): string {
  // #ifdef H5
  return 'PDF 已下载到本机，可以打印'
  // #endif
  // #ifndef H5
  return 'PDF 已打开，可以打印或转发'
  // #endif
}

/** `status`: 0 where no answer came. */
interface Fetched {
  status: number
  fault: string | null
}

async function fetched(path: string, name: string, token: string | undefined): Promise<Fetched> {
  const header = { authorization: `Bearer ${token}` }
  // #ifdef H5
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT)
  try {
    const answer = await fetch(path, { headers: header, signal: abort.signal, redirect: 'error', credentials: 'omit' })
    if (!answer.ok) return { status: answer.status, fault: sentence(await answer.text()) }
    const url = URL.createObjectURL(await answer.blob())
    const link = document.createElement('a')
    link.href = url
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    return { status: answer.status, fault: null }
  } catch {
    return { status: 0, fault: NO_ANSWER }
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
      success: ({ statusCode, tempFilePath }) => {
        if (statusCode !== 200) return resolve({ status: statusCode, fault: sentence(textOf(tempFilePath)) })
        uni.openDocument({
          filePath: tempFilePath,
          fileType: 'pdf',
          showMenu: true,
          success: () => resolve({ status: statusCode, fault: null }),
          fail: () => resolve({ status: statusCode, fault: '手机打不开 PDF，请在电脑上打印。' }),
        })
      },
      fail: () => resolve({ status: 0, fault: NO_ANSWER }),
    }),
  )
  // #endif
}

// #ifndef H5
function textOf(filePath: string): string {
  try {
    return String(uni.getFileSystemManager().readFileSync(filePath, 'utf8'))
  } catch {
    return ''
  }
}
// #endif

/** What the server says is wrong: the first fault, or the problem itself. */
function sentence(body: string): string {
  try {
    const problem = JSON.parse(body) as { errors?: { message: string }[]; detail?: string; title?: string }
    return problem.errors?.[0]?.message ?? problem.detail ?? problem.title ?? NO_ANSWER
  } catch {
    return '暂时不能打印，请稍后再试。'
  }
}
