import { NoAnswer, type HttpAnswer, type Json, type Method, type Platform, type UploadRequest } from '../platform'
import { codeOf, Unreachable, read } from './problem'
import type { AnswerOf, Options, PathWith } from './types'

/** A successful answer. */
export interface Answer<Body> {
  status: number
  body: Body
  etag: string | undefined
}

/** Where calls get their token, and where they say that it is over. */
export interface Tokens {
  token(): string | undefined
  /** Called for each 401 that stays, with the token that was refused: somebody has to sign in. */
  refused(token: string): void
  /** Before each call but a sign-in: its token, or the one that takes its place because it is about to expire. */
  renewed?(token: string): Promise<string>
  /**
   * After a 401 `unauthenticated`: the token of the same person's new session, with which the call is sent once more;
   * undefined where there is none. Calls that are refused meanwhile wait for the same renewal.
   */
  instead?(token: string): Promise<string | undefined>
}

const TIMEOUT = 15_000
const UPLOAD_TIMEOUT = 120_000

/**
 * The server's calls, typed by its OpenAPI document. Each raises `Problem` for a refusal and `Unreachable` where no
 * usable answer came.
 */
export class Api {
  constructor(
    private readonly platform: Pick<Platform, 'transport' | 'clock'>,
    private readonly tokens: Tokens,
  ) {}

  get<P extends PathWith<'get'>>(path: P, options: Options<P, 'get'>): Promise<Answer<AnswerOf<P, 'get'>>> {
    return this.typed('GET', path, options)
  }

  post<P extends PathWith<'post'>>(path: P, options: Options<P, 'post'>): Promise<Answer<AnswerOf<P, 'post'>>> {
    return this.typed('POST', path, options)
  }

  put<P extends PathWith<'put'>>(path: P, options: Options<P, 'put'>): Promise<Answer<AnswerOf<P, 'put'>>> {
    return this.typed('PUT', path, options)
  }

  delete<P extends PathWith<'delete'>>(path: P, options: Options<P, 'delete'>): Promise<Answer<AnswerOf<P, 'delete'>>> {
    return this.typed('DELETE', path, options)
  }

  /**
   * A call whose path was written down earlier, or comes from a declaration of the server (`/api/v1/…`, encoded).
   * `token`: instead of the one of the session that is open now.
   */
  async send(
    method: Method,
    path: string,
    {
      body,
      timeout = TIMEOUT,
      etag,
      token = this.tokens.token(),
    }: {
      body?: unknown
      timeout?: number | undefined
      etag?: string | undefined
      token?: string | undefined
    } = {},
  ): Promise<Answer<Json | undefined>> {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (etag !== undefined) headers['if-none-match'] = etag
    const text = body === undefined ? undefined : JSON.stringify(body)
    if (text !== undefined) headers['content-type'] = 'application/json'
    const request = { method, path, timeout, ...(text === undefined ? {} : { body: text }) }
    return this.answered(path, token, (authorization) =>
      this.platform.transport.request({ ...request, headers: { ...headers, ...authorization } }),
    )
  }

  /** Uploads a stored file under its id; the same id and bytes again are the same file. */
  async upload(
    file: UploadRequest['file'],
    purpose: string,
    onProgress?: (share: number) => void,
    token = this.tokens.token(),
  ): Promise<Answer<AnswerOf<'/api/v1/files', 'post'>>> {
    const answer = await this.uploaded('/api/v1/files', file, { purpose, id: file.id }, onProgress, token)
    return answer as Answer<unknown> as Answer<AnswerOf<'/api/v1/files', 'post'>>
  }

  /** Sends a stored file to a call that takes nothing else: `Files` has its bytes under `file.id`. */
  async sendFile<P extends PathWith<'post'>>(
    path: P,
    file: UploadRequest['file'],
    onProgress?: (share: number) => void,
  ): Promise<Answer<AnswerOf<P, 'post'>>> {
    const answer = await this.uploaded(path, file, {}, onProgress, this.tokens.token())
    return answer as Answer<unknown> as Answer<AnswerOf<P, 'post'>>
  }

  /**
   * Asks with a token that lasts, and once more with that of the new session where the old one had just ended. A call
   * that was refused for its token has done nothing, so each may be sent again. Also for what is fetched past the
   * transport (pictures). Raises what `ask` raises.
   */
  async authorized<T>(
    token: string | undefined,
    ask: (token: string | undefined) => Promise<T>,
    isUnauthenticated: (answer: T) => boolean,
  ): Promise<T> {
    if (token === undefined) return ask(token)
    const lasting = (await this.tokens.renewed?.(token)) ?? token
    const answer = await ask(lasting)
    if (!isUnauthenticated(answer)) return answer
    const another = await this.tokens.instead?.(lasting)
    const last = another === undefined ? answer : await ask(another)
    if (isUnauthenticated(last)) this.tokens.refused(another ?? lasting)
    return last
  }

  private uploaded(
    path: string,
    file: UploadRequest['file'],
    fields: Record<string, string>,
    onProgress: ((share: number) => void) | undefined,
    token: string | undefined,
  ): Promise<Answer<Json | undefined>> {
    const request = { path, fields, file, timeout: UPLOAD_TIMEOUT, ...(onProgress === undefined ? {} : { onProgress }) }
    const accept = { accept: 'application/json' }
    return this.answered(path, token, (authorization) =>
      this.platform.transport.upload({ ...request, headers: { ...accept, ...authorization } }),
    )
  }

  private async typed<Body>(method: Method, path: string, options: object): Promise<Answer<Body>> {
    const {
      path: parts,
      query,
      ...rest
    } = options as {
      path?: Record<string, unknown>
      query?: Record<string, unknown>
      body?: unknown
    }
    return (await this.send(method, address(path, parts, query), rest)) as Answer<unknown> as Answer<Body>
  }

  private async answered(
    path: string,
    token: string | undefined,
    ask: (authorization: Record<string, string>) => Promise<HttpAnswer>,
  ): Promise<Answer<Json | undefined>> {
    const sent = (used: string | undefined) =>
      ask(authorization(used)).catch((error: unknown) => {
        throw error instanceof NoAnswer ? new Unreachable(error.reason) : error
      })
    // A sign-in needs no token, and is what a renewal makes.
    const isSignIn = path.startsWith('/api/v1/sessions')
    const answer = isSignIn ? await sent(token) : await this.authorized(token, sent, unauthenticated)
    const body = read(answer, this.platform.clock.now())
    return { status: answer.status, body, etag: answer.headers['etag'] }
  }
}

/** Whether the token is not good any more; a 401 without a code comes from something that stands before our server. */
function unauthenticated(answer: HttpAnswer): boolean {
  if (answer.status !== 401) return false
  const code = codeOf(answer)
  return code === undefined || code === 'unauthenticated'
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** The path with its parts and parameters filled in; undefined parameters are left out, lists are repeated. */
export function address(
  path: string,
  parts: Record<string, unknown> = {},
  query: Record<string, unknown> = {},
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(String(parts[name])))
  const given = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((one) => one !== undefined && one !== null)
      .map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`),
  )
  return given.length === 0 ? filled : `${filled}?${given.join('&')}`
}
