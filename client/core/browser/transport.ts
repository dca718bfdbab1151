import { type Files, type HttpAnswer, NoAnswer, type Transport } from '../src/platform'

/** fetch for requests; XMLHttpRequest for uploads, since only it tells how much was sent. */
export function openTransport(files: Files): Transport {
  return {
    async request({ method, path, headers, body, timeout }) {
      const abort = new AbortController()
      const timer = setTimeout(() => abort.abort(), timeout)
      try {
        const answer = await fetch(path, {
          method, headers, body, signal: abort.signal, redirect: 'manual', cache: 'no-store', credentials: 'omit',
        })
        if (answer.type === 'opaqueredirect') throw new NoAnswer('cut')
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
      } catch (error) {
        if (error instanceof NoAnswer) throw error
        throw abort.signal.aborted ? new NoAnswer('timeout') : lost()
      } finally {
        clearTimeout(timer)
      }
    },

    async upload({ path, headers, fields, file, timeout, onProgress }) {
      const bytes = await files.get(file.id)
      if (!bytes) throw new NoAnswer('cut')
      const form = new FormData()
      for (const [name, value] of Object.entries(fields)) form.append(name, value)
      form.append('file', new Blob([bytes], { type: file.mediaType }), file.name)
      return new Promise<HttpAnswer>((resolve, reject) => {
        const asked = new XMLHttpRequest()
        asked.open('POST', path)
        for (const [name, value] of Object.entries(headers)) asked.setRequestHeader(name, value)
        asked.timeout = timeout
        asked.upload.onprogress = ({ loaded, total }) => total && onProgress?.(loaded / total)
        asked.onload = () =>
          resolve({ status: asked.status, headers: named(asked.getAllResponseHeaders()), body: asked.responseText })
        asked.ontimeout = () => reject(new NoAnswer('timeout'))
        asked.onabort = () => reject(new NoAnswer('cut'))
        asked.onerror = () => reject(lost())
        asked.send(form)
      })
    },
  }
}

function lost(): NoAnswer {
  return new NoAnswer(navigator.onLine ? 'cut' : 'offline')
}

function named(lines: string): Record<string, string> {
  const pairs = lines.trim().split(/\r?\n/).filter(Boolean)
  return Object.fromEntries(
    pairs.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
}
