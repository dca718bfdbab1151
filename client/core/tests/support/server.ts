import { type HttpAnswer, type HttpRequest, NoAnswer, type Transport, type UploadRequest } from '../../src/platform'
import type { Machine } from './machine'

type Body = Record<string, unknown>

/** What happens to the next request instead of an answer. */
export type Fault =
  /** It never arrives. */
  | 'offline'
  /** It is carried out, and its answer is lost. */
  | 'cut'
  | 'timeout'
  | 503
  | 500
  | 401
  | { status: number; body: Body; headers?: Record<string, string> }

interface Stored {
  type: string
  status: 'draft' | 'submitted'
  version: number
  body: Body
  owner: string
}

/**
 * A server in memory that refuses writes in the order of the HTTP contract: repetition, submitted already, stale, and so
 * on. It counts how often a write was applied.
 */
export class Server implements Transport {
  readonly records = new Map<string, Stored>()
  readonly files = new Map<string, Uint8Array>()
  readonly words = new Map<string, Body>()
  /** Method and path of every request that arrived. */
  readonly log: string[] = []
  /** By record: how often a submission was applied. */
  readonly applied = new Map<string, number>()
  /** Taken from the front, one a request; the requests behind are answered. */
  faults: (Fault | null)[] = []
  /** Answers to requests by `METHOD path`, before anything else. */
  readonly answers = new Map<
    string,
    (request: HttpRequest) => { status: number; body?: unknown; headers?: Record<string, string> }
  >()
  validTokens = new Map<string, string>([
    ['token-a', 'a'],
    ['token-b', 'b'],
  ])
  /** Names that the register has by code, and whether checks are compared. */
  register = new Map<string, string>()
  duplicates = false
  private readonly keys = new Set<string>()

  constructor(private readonly machine: Machine) {}

  async request(request: HttpRequest): Promise<HttpAnswer> {
    return this.answered(`${request.method} ${request.path}`, request.headers, (user) => this.handle(request, user))
  }

  async upload({ headers, fields, file, path }: UploadRequest): Promise<HttpAnswer> {
    const bytes = this.machine.bytes.get(file.id)!.slice()
    return this.answered(`POST ${path} ${file.id}`, headers, () => {
      const isNew = !this.files.has(fields['id']!)
      this.files.set(fields['id']!, bytes)
      return { status: isNew ? 201 : 200, body: { id: fields['id'], sha256: '' } }
    })
  }

  /** Drafts and submissions of other phones. */
  put(id: string, changes: Partial<Stored>): void {
    const before = this.records.get(id) ?? { type: 'inspections', status: 'draft', version: 0, body: {}, owner: 'a' }
    this.records.set(id, { ...before, version: before.version + 1, ...changes })
  }

  private async answered(
    what: string,
    headers: Record<string, string>,
    handle: (user: string) => { status: number; body?: unknown; headers?: Record<string, string> },
  ): Promise<HttpAnswer> {
    const fault = this.machine.online ? (this.faults.shift() ?? null) : 'offline'
    if (fault === 'offline') throw new NoAnswer('offline')
    this.log.push(what)
    const token = headers['authorization']?.slice('Bearer '.length)
    const user = token === undefined ? undefined : this.validTokens.get(token)
    if (fault === 401 || user === undefined) return problem(401, 'unauthenticated')
    if (fault === 503 || fault === 500) return problem(fault, fault === 503 ? 'not_ready' : 'internal_error')
    if (typeof fault === 'object' && fault !== null) {
      return { status: fault.status, headers: fault.headers ?? {}, body: JSON.stringify(fault.body) }
    }
    const answer = handle(user)
    if (fault === 'cut' || fault === 'timeout') throw new NoAnswer(fault)
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body)
    return { status: answer.status, headers: answer.headers ?? {}, body: text }
  }

  private handle(
    request: HttpRequest,
    user: string,
  ): { status: number; body?: unknown; headers?: Record<string, string> } {
    const prepared = this.answers.get(`${request.method} ${request.path}`)
    if (prepared !== undefined) return prepared(request)
    const body = request.body === undefined ? {} : (JSON.parse(request.body) as Body)
    const [, , , type, id, action] = request.path.split('?')[0]!.split('/') as [
      string,
      string,
      string,
      string,
      string,
      string?,
    ]
    if (type === 'products') {
      const isNew = !this.words.has(request.path)
      this.words.set(request.path, body)
      return { status: isNew ? 201 : 200, body: { ...body, version: 1 } }
    }
    const stored = this.records.get(id)
    if (stored !== undefined && stored.owner !== user) return refusal(404, 'not_found')
    if (request.method === 'GET')
      return stored === undefined ? refusal(404, 'not_found') : { status: 200, body: answerOf(id, stored) }
    if (request.method === 'DELETE') {
      if (stored?.status === 'submitted') return refusal(409, 'already_submitted')
      return this.records.delete(id) ? { status: 200, body: { id, status: 'deleted' } } : refusal(404, 'not_found')
    }
    return this.write({ type, id, action: action ?? 'save', user, body, stored })
  }

  private write({
    type,
    id,
    action,
    user,
    body,
    stored,
  }: {
    type: string
    id: string
    action: string
    user: string
    body: Body
    stored: Stored | undefined
  }) {
    const { confirm_duplicate: duplicate, confirm_name: name, ...compared } = body
    const key = JSON.stringify([user, type, id, action, compared])
    if (this.keys.has(key) && stored !== undefined) return { status: 200, body: answerOf(id, stored) }
    if (action !== 'disposals' && stored?.status === 'submitted') return refusal(409, 'already_submitted')
    if (stored !== undefined && body['version'] !== stored.version)
      return refusal(409, 'stale_version', { current_version: stored.version })
    if (action === 'submission') {
      const files = [...((body['photos'] as string[]) ?? [])]
      const missing = files.flatMap((file, place) =>
        this.files.has(file) ? [] : [{ path: `/photos/${place}`, code: 'unknown_file', message: '请重新上传' }],
      )
      if (missing.length > 0) return refusal(422, 'invalid', { errors: missing })
      if (body['org_name'] === undefined)
        return refusal(422, 'invalid', { errors: [{ path: '/org_name', code: 'required', message: '请填写企业名称' }] })
      const registered = this.register.get(String(body['uscc']))
      if (registered !== undefined && registered !== body['org_name'] && name !== true)
        return refusal(409, 'name_differs', { registered: [{ path: '/org_name', name: registered }] })
      const others = [...this.records].filter(
        ([other, one]) => other !== id && one.status === 'submitted' && one.body['uscc'] === body['uscc'],
      )
      if (this.duplicates && others.length > 0 && duplicate !== true)
        return refusal(409, 'duplicate_check', { duplicates: others.map(([other]) => other) })
      this.applied.set(id, (this.applied.get(id) ?? 0) + 1)
    }
    this.keys.add(key)
    const said = { ...compared }
    delete said['version']
    const next: Stored = {
      type,
      status: action === 'save' ? 'draft' : 'submitted',
      version: (stored?.version ?? 0) + 1,
      body: action === 'disposals' ? { ...stored!.body, ...said } : said,
      owner: user,
    }
    this.records.set(id, next)
    return { status: stored === undefined ? 201 : 200, body: answerOf(id, next) }
  }
}

function answerOf(id: string, { status, version, body }: Stored): Body {
  return {
    ...{ id, status, version, form_code: body['kind'], warnings: [], updated_at: '2026-11-30T01:00:00Z' },
    ...{ submitted_at: status === 'submitted' ? '2026-11-30T01:00:00Z' : null, ...body },
  }
}

function refusal(status: number, code: string, more: Body = {}): { status: number; body: Body } {
  return { status, body: { type: `urn:gongpin:problem:${code}`, title: code, status, code, request_id: '', ...more } }
}

function problem(status: number, code: string): HttpAnswer {
  return { status, headers: {}, body: JSON.stringify(refusal(status, code).body) }
}
