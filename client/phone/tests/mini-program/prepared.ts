/** What `tests/client/test_mini_program_against_a_server.py` has prepared: a server, the build, a person. */
import { mkdtempSync, readFileSync } from 'node:fs'
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
  /** Unified social credit codes that no register has. */
  codes: string[]
  /** Path of a JPEG. */
  photo: string
}

export function readCase(): Case {
  return JSON.parse(readFileSync(process.env['GONGPIN_CASE']!, 'utf8')) as Case
}

/** A new phone in the hands of somebody whom WeChat knows by this name. */
export function begin(person = 'li-min') {
  const { server, wechat, build, username, password } = readCase()
  const loginCode = async () => {
    const answer = await fetch(`${wechat}/double/code?person=${encodeURIComponent(person)}`)
    return ((await answer.json()) as { code: string }).code
  }
  const phone = new WeChatPhone(mkdtempSync(join(tmpdir(), 'wechat-phone-')), server, loginCode)
  const program = new MiniProgram(build, phone)
  onTestFinished(() => program.close())
  return { phone, program, account: { username, password } }
}
