import { Problem } from '@gongpin/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'

vi.stubGlobal('uni', { getStorageSync: () => '', setStorageSync: () => undefined, login: () => undefined })
const { renew, renewAhead, renewing } = await import('../src/renewal')
const { begin, end, renewalOf, session, tokens } = await import('../src/session')
const { leavingWords, waiting } = await import('../src/counts')

const ME = { id: 'u1', username: 'demo_tianning', operator_name: '李敏', verbs: [] }
const signedIn = (token: string, me: object = ME) => ({ token, user: me, must_change_password: false, resets: [] }) as never

/** A server that answers each path with what it is given, and notes what was asked. */
function server(answers: Record<string, unknown>) {
  const asked: string[] = []
  const send = async (method: string, path: string, { token }: { token?: string } = {}) => {
    asked.push(`${method} ${path}${token ? ` ${token}` : ''}`)
    const answer = answers[`${method} ${path}`]
    if (answer instanceof Error) throw answer
    return { status: 201, body: answer, etag: undefined }
  }
  return { send: send as never, asked }
}

let now = 0
const phone = (code: string | null = 'code', bound = true) => ({ bound: () => bound, code: async () => code, now: () => now })

beforeEach(() => {
  now += 3_600_000
  begin(signedIn('old'))
  tokens.refused('old')
})

describe('a bound phone whose session is over', () => {
  it('has a new one without a tap, and the sign-in stays away meanwhile', async () => {
    const api = server({ 'POST /api/v1/sessions/wechat': signedIn('new') })
    const renewed = renew(api, phone())
    expect(renewing.value).toBe(true)
    expect(await renewed).toBe(true)
    expect([session.token, session.expired, renewing.value]).toEqual(['new', false, false])
  })

  it('asks for the sign-in where WeChat gives no code, or the server refuses it', async () => {
    expect(await renew(server({}), phone(null))).toBe(false)
    now += 3_600_000
    const refused = server({ 'POST /api/v1/sessions/wechat': new Problem(409, 'otp_required', '请输入动态口令') })
    expect(await renew(refused, phone())).toBe(false)
    expect([session.token, session.expired, renewing.value]).toEqual(['old', true, false])
  })

  it('takes no session of somebody else, and ends it', async () => {
    const other = signedIn('theirs', { ...ME, operator_name: '王强' })
    const api = server({ 'POST /api/v1/sessions/wechat': other, 'DELETE /api/v1/sessions/current': undefined })
    expect(await renew(api, phone())).toBe(false)
    expect(api.asked[1]).toBe('DELETE /api/v1/sessions/current theirs')
    expect([session.token, session.expired]).toEqual(['old', true])
  })

  it('is not renewed again and again where the new session is refused at once', async () => {
    const api = server({ 'POST /api/v1/sessions/wechat': signedIn('new') })
    expect(await renew(api, phone())).toBe(true)
    tokens.refused('new')
    expect(await renew(api, phone())).toBe(false)
    expect(api.asked).toHaveLength(1)
  })

  it('asks WeChat nothing where nobody is bound on this phone', async () => {
    const api = server({})
    expect(await renew(api, phone('code', false))).toBe(false)
    expect(api.asked).toEqual([])
  })
})

describe('a bound phone whose session is about to end', () => {
  const due = (): void => {
    begin(signedIn('old'))
    session.renewAt = now
  }
  const answers = { 'POST /api/v1/sessions/wechat': signedIn('new') }

  it('has a new one before the call that asks, and calls that come meanwhile wait for it', async () => {
    due()
    const api = server(answers)
    expect(await Promise.all([renewAhead(api, 'old', phone()), renewAhead(api, 'old', phone())])).toEqual(['new', 'new'])
    expect(api.asked).toEqual(['POST /api/v1/sessions/wechat'])
    expect(session.expired).toBe(false)
  })

  it('lends its new token to calls that took the old one before, as long as the same person is signed in', async () => {
    begin(signedIn('first'))
    session.renewAt = now
    const api = server({ 'POST /api/v1/sessions/wechat': signedIn('second') })
    expect(await renewAhead(api, 'first', phone())).toBe('second')
    expect(await renewAhead(api, 'first', phone())).toBe('second')
    begin(signedIn('theirs', { ...ME, operator_name: '王强' }))
    expect(await renewAhead(api, 'first', phone())).toBe('first')
    expect(api.asked).toHaveLength(1)
  })

  it('asks nobody before that moment, nor for a token that is another one by now', async () => {
    due()
    session.renewAt = now + 1
    const api = server(answers)
    expect(await renewAhead(api, 'old', phone())).toBe('old')
    session.renewAt = now
    expect(await renewAhead(api, 'of an earlier session', phone())).toBe('of an earlier session')
    expect(api.asked).toEqual([])
  })

  it('goes on with the session that it has where it cannot be renewed, or nobody is bound here', async () => {
    due()
    expect(await renewAhead(server({}), 'old', phone(null))).toBe('old')
    now += 3_600_000
    expect(await renewAhead(server(answers), 'old', phone('code', false))).toBe('old')
    expect([session.token, session.expired]).toEqual(['old', false])
  })

  it('never gives the new token to a call of somebody who has signed out meanwhile', async () => {
    due()
    const api = server({ ...answers, 'DELETE /api/v1/sessions/current': undefined })
    const asked = renewAhead(api, 'old', { ...phone(), code: async () => (end(), 'code') })
    expect(await asked).toBe('old')
    expect(session.token).toBeNull()
    expect(api.asked[1]).toBe('DELETE /api/v1/sessions/current new')
  })

  it('is renewed ten minutes ahead, a short one at three quarters, and by a wrong clock not at all', () => {
    const minute = 60_000
    expect(renewalOf(120 * minute, 0)).toBe(110 * minute)
    expect(renewalOf(8 * minute, 0)).toBe(6 * minute)
    expect(renewalOf(120 * minute, 121 * minute)).toBeNull()
    expect(renewalOf(Number.NaN, 0)).toBeNull()
  })
})

describe('leaving with records that wait', () => {
  it('is said with their number, and not where nothing waits', () => {
    expect(leavingWords()).toBeNull()
    waiting.count = 3
    expect(leavingWords()).toBe('还有 3 条待发送。离开后不会发送，下次打开时接着发。')
    waiting.count = 0
  })
})
