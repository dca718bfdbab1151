import { NoAnswer, type HttpAnswer, type Json, type Method, type Platform, type UploadRequest } from '../platform'
import { Problem, Unreachable, read } from './problem'
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
  /** Called for each 401 with the token that was refused. */
  refused(token: string): void
  /** Before each call but a sign-in: its token, or the one that takes its place because it is about to expire. */
  renewed?(token: string): Promise<string>
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
    const lasting = await this.lasting(path, token)
    const headers: Record<string, string> = { accept: 'application/json', ...authorization(lasting) }
    if (etag !== undefined) headers['if-none-match'] = etag
    const text = body === undefined ? undefined : JSON.stringify(body)
    if (text !== undefined) headers['content-type'] = 'application/json'
    const request = { method, path, headers, timeout, ...(text === undefined ? {} : { body: text }) }
    return this.answered(this.platform.transport.request(request), lasting)
  }

  /** Uploads a stored file under its id; the same id and bytes again are the same file. */
  async upload(
    file: UploadRequest['file'],
    purpose: string,
    onProgress?: (share: number) => void,
    token = this.tokens.token(),
  ): Promise<Answer<AnswerOf<'/api/v1/files', 'post'>>> {
    const lasting = await this.lasting('/api/v1/files', token)
    const request: UploadRequest = {
      path: '/api/v1/files',
      headers: { accept: 'application/json', ...authorization(lasting) },
      fields: { purpose, id: file.id },
      file,
      timeout: UPLOAD_TIMEOUT,
      ...(onProgress === undefined ? {} : { onProgress }),
    }
    const answer = await this.answered(this.platform.transport.upload(request), lasting)
    return answer as Answer<unknown> as Answer<AnswerOf<'/api/v1/files', 'post'>>
  }

  /** Sends a stored file to a call that takes nothing else: `Files` has its bytes under `file.id`. */
  async sendFile<P extends PathWith<'post'>>(
    path: P,
    file: UploadRequest['file'],
    onProgress?: (share: number) => void,
  ): Promise<Answer<AnswerOf<P, 'post'>>> {
    const token = await this.lasting(path, this.tokens.token())
    const request: UploadRequest = {
      path,
      headers: { accept: 'application/json', ...authorization(token) },
      fields: {},
      file,
      timeout: UPLOAD_TIMEOUT,
      ...(onProgress === undefined ? {} : { onProgress }),
    }
    const answer = await this.answered(this.platform.transport.upload(request), token)
    return answer as Answer<unknown> as Answer<AnswerOf<P, 'post'>>
  }

  /** A sign-in needs no token, and is what a renewal makes. */
  private async lasting(path: string, token: string | undefined): Promise<string | undefined> {
    if (token === undefined || path.startsWith('/api/v1/sessions')) return token
    return (await this.tokens.renewed?.(token)) ?? token
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

  private async answered(asked: Promise<HttpAnswer>, token: string | undefined): Promise<Answer<Json | undefined>> {
    let answer: HttpAnswer
    try {
      answer = await asked
    } catch (error) {
      throw error instanceof NoAnswer ? new Unreachable(error.reason) : error
    }
    try {
      const body = read(answer, this.platform.clock.now())
      return { status: answer.status, body, etag: answer.headers['etag'] }
    } catch (error) {
      if (error instanceof Problem && error.status === 401 && token !== undefined) this.tokens.refused(token)
      throw error
    }
  }
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
