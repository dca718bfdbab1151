/** What `tests/client/test_mini_program_against_a_server.py` has prepared: a server, the build, a person. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { MiniProgram } from './mini-program'
import { WeChatPhone } from './wechat'

interface Case {
  /** `http://127.0.0.1:…` of the server, and of the double of WeChat. */
  server: string
  wechat: string
  /** A copy of the built mini-program, as CommonJS. */
  build: string
  username: string
  password: string
  /** A second inspector, of another county. */
  another: Account
  /** Unified social credit codes that no register has. */
  codes: string[]
  /** Path of a JPEG. */
  photo: string
}

export function readCase(): Case {
  return JSON.parse(readFileSync(process.env['GONGPIN_CASE']!, 'utf8')) as Case
}

/** A new phone in the hands of somebody whom WeChat knows by this name; bindings of an account are seen by all its phones. */
export function begin(person = 'li-min', whose: 'first' | 'another' = 'first') {
  const { server, wechat, build, username, password, another } = readCase()
  const loginCode = async () => {
    const answer = await fetch(`${wechat}/double/code?person=${encodeURIComponent(person)}`)
    return ((await answer.json()) as { code: string }).code
  }
  const folder = mkdtempSync(join(tmpdir(), 'wechat-phone-'))
  const phone = new WeChatPhone(folder, server, loginCode)
  const program = new MiniProgram(build, phone)
  onTestFinished(() => {
    program.close()
    rmSync(folder, { recursive: true })
  })
  const account: Account = whose === 'first' ? { username, password } : another
  return {
    ...{ phone, program, account },
    api: (path: string) => asServerSees(server, account, path),
    endSessions: () => endSessions(server, account),
  }
}

export interface Account {
  username: string
  password: string
}

/** From the sign-in page to home. */
export async function signIn(program: MiniProgram, { username, password }: Account): Promise<void> {
  await program.type('用户名', username)
  await program.type('密码', password)
  await program.type('操作人姓名', '李敏')
  await program.tap('登录')
  await program.until('电线电缆')
  await program.tap('确认')
  await program.until('销售企业检查')
}

/** What the API answers this person on another machine. */
async function asServerSees(server: string, account: Account, path: string): Promise<Record<string, unknown>> {
  return (await elsewhere(server, account))(path)
}

/** All sessions of this person but the one that ends them: their tokens are good no more, as after their time. */
async function endSessions(server: string, account: Account): Promise<void> {
  const ask = await elsewhere(server, account)
  const { items } = (await ask('/me/sessions')) as { items: { id: string; current: boolean }[] }
  for (const { id, current } of items) if (!current) await ask(`/me/sessions/${id}`, 'DELETE')
}

async function elsewhere(server: string, account: Account) {
  const ask = async (path: string, init: RequestInit) => {
    const call = () => fetch(`${server}/api/v1${path}`, { ...init, signal: AbortSignal.timeout(30_000) })
    // Once more, where the server has closed the kept connection meanwhile.
    const answer = await call().catch(call)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ ...account, operator_name: '王强' })
  const { token } = await ask('/sessions', { method: 'POST', headers, body })
  return (path: string, method = 'GET') => ask(path, { method, headers: { authorization: `Bearer ${token as string}` } })
}
