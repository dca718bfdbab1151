import { expect, test } from 'vitest'

import { begin, readCase, signIn } from './prepared'

const RENEWAL = 'POST /api/v1/sessions/wechat'
const isDraft = (request: string) => request.startsWith('PUT /api/v1/inspections/')

test('a phone bound to WeChat has a new session after the old one is over, and before it is, without a tap', async () => {
  const { program, phone, account, api, endSessions } = begin('bound for renewal', 'another')
  program.open()
  await signIn(program, account)
  await program.tap('账号')
  await program.tap('绑定微信')
  await program.until('已绑定')
  program.close()
  program.open()
  await program.until('销售企业检查')
  expect(phone.requests).not.toContain(RENEWAL)

  // Over: what was refused is asked once more with the new token, so the page has both that it reads; nobody is asked to
  // sign in.
  await endSessions()
  phone.requests.length = 0
  await program.tap('账号')
  await program.until('已绑定')
  await program.until('（本机）')
  expect(phone.unauthenticated.length).toBeGreaterThan(0)
  expect(new Set(phone.unauthenticated).size).toBe(phone.unauthenticated.length)
  expect(phone.requests.filter((one) => one === RENEWAL)).toHaveLength(1)
  expect(program.shows('登录已过期')).toBe(false)

  // About to be over when the program is opened again: renewed before anything is asked with the old token, which the
  // server does not take any more.
  program.close()
  const kept = phone.storage.get('session') as { token: string; renewAt: number }
  expect(kept.renewAt).toBeGreaterThan(Date.now())
  phone.storage.set('session', { ...kept, renewAt: Date.now() - 1 })
  await endSessions()
  phone.requests.length = phone.unauthenticated.length = 0
  program.open()
  await program.until('销售企业检查')
  await program.tap('销售企业检查')
  await program.until('企业名录为')
  const code = readCase().codes[3]!
  phone.scans.push(`https://www.gsxt.gov.cn/index.html?uniscid=${code}`)
  await program.tap('扫营业执照二维码')
  await program.until('核对无误，继续')
  await program.type('企业名称', '续期五金经营部')
  await program.until(() => phone.requests.some(isDraft))
  expect(phone.requests.filter((one) => one === RENEWAL)).toHaveLength(1)
  expect(phone.requests.indexOf(RENEWAL)).toBeLessThan(phone.requests.findIndex(isDraft))
  expect(phone.unauthenticated).toEqual([])
  const { items } = (await api('/me/sessions')) as { items: { operator_name: string }[] }
  expect(items.filter((one) => one.operator_name === '李敏')).toHaveLength(1)
  expect(program.errors).toEqual([])
})
