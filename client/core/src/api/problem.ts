import { NoAnswer, type HttpAnswer, type Json } from '../platform'

/** One fault of a body. */
export interface Fault {
  /** JSON Pointer into the body that was sent, `/answers/1.1`. */
  path: string
  code: string
  /** A Chinese sentence that a user can act on. */
  message: string
  /** The tab (分页) of the form on which the place stands. */
  tab?: string
}

/** The server understood and refused (4xx, `application/problem+json`): asking again changes nothing by itself. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** Stable English snake_case: `duplicate_check`, `stale_version`, … */
    readonly code: string,
    /** A Chinese sentence that a user can act on. */
    readonly title: string,
    readonly errors: readonly Fault[] = [],
    /** Whole seconds, where the server said them. */
    readonly retryAfter?: number,
    /** The whole body: `duplicates`, `registered`, `current_version`, `request_id`, … */
    readonly body: { readonly [name: string]: Json } = {},
  ) {
    super(`${status} ${code}`)
    this.name = 'Problem'
  }

  /** The members under which it is kept; `Problem.of` makes it anew. */
  kept(): KeptProblem {
    const { status, code, title, errors, body } = this
    return { status, code, title, errors: errors.map((fault) => ({ ...fault })), body: { ...body } }
  }

  static of({ status, code, title, errors, body }: KeptProblem): Problem {
    return new Problem(status, code, title, errors, undefined, body)
  }
}

/** A `Problem` as JSON. */
export interface KeptProblem {
  status: number
  code: string
  title: string
  errors: Fault[]
  body: { [name: string]: Json }
}

/**
 * No usable answer: no network, timeout, cut, or a server that is not able to answer now (5xx). Never shown as failed:
 * what was asked may have been done, and is asked again later in the same words.
 */
export class Unreachable extends Error {
  constructor(
    readonly reason: NoAnswer['reason'] | 'server',
    /** Of a server's answer. */
    readonly status?: number,
    readonly code?: string,
    /** Whole seconds, where the server said them. */
    readonly retryAfter?: number,
  ) {
    super(status === undefined ? reason : `${reason} ${status} ${code ?? ''}`.trim())
    this.name = 'Unreachable'
  }
}

/** The JSON of a successful answer; undefined for 204 and 304. Raises `Problem` or `Unreachable` for all others. */
export function read(answer: HttpAnswer, now: number): Json | undefined {
  if (answer.status === 204 || answer.status === 304) return undefined
  const body = parsed(answer.body)
  const retryAfter = seconds(answer.headers['retry-after'], now)
  const members = isObject(body) ? body : {}
  const code = typeof members['code'] === 'string' ? members['code'] : undefined
  if (answer.status >= 200 && answer.status < 300) {
    // The sign-in page of a foreign Wi-Fi answers 200 to everything.
    if (body === undefined) throw new Unreachable('cut', answer.status)
    return body
  }
  const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 425
  if (!refused) throw new Unreachable('server', answer.status, code, retryAfter)
  const title = typeof members['title'] === 'string' ? members['title'] : sentenceFor(answer.status)
  const detail = typeof members['detail'] === 'string' ? members['detail'] : title
  throw new Problem(
    answer.status,
    code ?? `http_${answer.status}`,
    detail,
    faults(members['errors']),
    retryAfter,
    members,
  )
}

/** The stable code of a refusal; undefined where the body has none. */
export function codeOf(answer: HttpAnswer): string | undefined {
  const body = parsed(answer.body)
  return isObject(body) && typeof body['code'] === 'string' ? body['code'] : undefined
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function faults(value: Json | undefined): Fault[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map(({ path, code, message }) => ({
    path: String(path ?? ''),
    code: String(code ?? 'invalid'),
    message: String(message ?? ''),
  }))
}

/** `Retry-After`: seconds, or a date. */
function seconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const value = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000)
  return Number.isFinite(value) ? Math.max(0, value) : undefined
}

/** For a refusal of something that stands before our server. */
function sentenceFor(status: number): string {
  if (status === 401) return '登录已失效，请重新登录'
  if (status === 413) return '内容过大，请减少照片或文字后重试'
  if (status === 429) return '请求过于频繁，请稍后再试'
  return `服务器没有接受这次请求（${status}），请稍后重试`
}
