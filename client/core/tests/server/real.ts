import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { type HttpAnswer, type HttpRequest, NoAnswer, type Transport, type UploadRequest } from '../../src/platform'
import type { Machine } from '../support/machine'

/** What `tests/client/` has prepared. */
export interface Case {
  /** Of the repository. */
  root: string
  dataDir: string
  port: number
  username: string
  password: string
  /** A faultless sales check but for code and name, a faultless spot check, and codes that no register has. */
  body: Record<string, unknown>
  spotCheck: Record<string, unknown>
  codes: string[]
  /** Paths of photos. */
  photos: string[]
  rounds: number
}

export function readCase(): Case {
  return JSON.parse(readFileSync(process.env['GONGPIN_CASE']!, 'utf8')) as Case
}

/** `./manage serve` in a process group of its own, always on the same port and data. */
export class RealServer {
  private child: ChildProcess | undefined

  constructor(private readonly of: Case) {}

  get address(): string {
    return `http://127.0.0.1:${this.of.port}`
  }

  /** Resolves when `/readyz` answers 200. */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error('the server runs already')
    this.child = spawn('./manage', ['serve'], {
      cwd: this.of.root,
      detached: true,
      stdio: 'ignore',
      env: this.environment,
    })
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the server ended with ${this.child.exitCode}`)
      const answer = await fetch(`${this.address}/readyz`, { signal: AbortSignal.timeout(5_000) }).catch(
        () => undefined,
      )
      if (answer?.status === 200) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** `kill -9` of the server and its workers at this moment. */
  async kill(): Promise<void> {
    const child = this.child
    if (!this.isRunning || child?.pid === undefined) return
    const ended = once(child, 'exit')
    process.kill(-child.pid, 'SIGKILL')
    await ended
  }

  async manage(...parts: string[]): Promise<string> {
    return (await promisify(execFile)('./manage', parts, { cwd: this.of.root, env: this.environment })).stdout
  }

  private get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  private get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DATA_DIR: this.of.dataDir,
      PORT: String(this.of.port),
      HOST: '127.0.0.1',
      DATABASE_URL: '',
    }
  }
}

/** Node's fetch; `before` may delay a request, do harm while it is under way, or answer in the server's place. */
export class NodeTransport implements Transport {
  before: (what: string) => Promise<HttpAnswer | void> = async () => {}

  constructor(
    private readonly address: string,
    private readonly machine: Machine,
  ) {}

  request({ method, path, headers, body, timeout }: HttpRequest): Promise<HttpAnswer> {
    return this.ask(`${method} ${path}`, path, {
      method,
      headers,
      body: body ?? null,
      signal: AbortSignal.timeout(timeout),
    })
  }

  upload({ path, headers, fields, file, timeout }: UploadRequest): Promise<HttpAnswer> {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    form.append('file', new Blob([this.machine.bytes.get(file.id)!], { type: file.mediaType }), file.name)
    return this.ask(`POST ${path}`, path, { method: 'POST', headers, body: form, signal: AbortSignal.timeout(timeout) })
  }

  private async ask(what: string, path: string, request: RequestInit): Promise<HttpAnswer> {
    const instead = await this.before(what)
    if (instead !== undefined) return instead
    try {
      const answer = await fetch(this.address + path, { ...request, redirect: 'manual' })
      return { status: answer.status, headers: Object.fromEntries(answer.headers.entries()), body: await answer.text() }
    } catch (error) {
      throw new NoAnswer((error as Error).name === 'TimeoutError' ? 'timeout' : 'cut')
    }
  }
}
