import { expect, test } from 'vitest'

import { begin, signIn } from './prepared'

test('a person binds WeChat after a password sign-in and from then on signs in with it alone', async () => {
  const { program, phone, account } = begin()
  program.open()
  await program.until('操作人姓名')
  expect(program.url).toMatch(/^\/pages\/sign-in\/index/)

  await program.type('密码', account.password)
  await program.tap('登录')
  await program.until('请输入用户名')

  await signIn(program, account)

  await program.tap('账号')
  await program.until('未绑定')
  await program.tap('绑定微信')
  await program.until('已绑定')
  await program.tap('退出登录')
  await program.until('不退出')
  await program.tap('退出登录', '不退出')
  await program.until(() => program.url.startsWith('/pages/sign-in/index'))

  // Once bound it stands first, also when the program was closed in between.
  program.close()
  program.open()
  await program.until('或用用户名登录')
  const before = phone.requests.length
  await program.tap('微信登录')
  await program.until('电线电缆')
  await program.tap('确认')
  await program.until('销售企业检查')
  expect(program.shows('李敏')).toBe(true)
  expect(phone.requests.slice(before)).toContain('POST /api/v1/sessions/wechat')
  expect(phone.requests.slice(before)).not.toContain('POST /api/v1/sessions')
  expect(program.errors).toEqual([])
})

test('who is bound to nobody is told so and signs in by password', async () => {
  const { program, account } = begin('a stranger')
  program.open()
  await program.tap('微信登录')
  await program.until('还没有绑定')
  await program.type('用户名', account.username)
  await program.type('密码', account.password)
  await program.tap('登录')
  await program.until('电线电缆')
  expect(program.errors).toEqual([])
})
