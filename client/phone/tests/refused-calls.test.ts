import { type HttpAnswer, type HttpRequest, type Json, type UploadRequest } from '@gongpin/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

/** The phone under the app: WeChat gives a code where `code` is one, `answer` stands for the server. */
const phone = vi.hoisted(() => ({
  bound: true,
  code: 'code' as string | null,
  answer: (_asked: { method: string; path: string; token: string | undefined }): unknown => undefined,
  /** Pages that took the place of all others. */
  left: [] as string[],
}))
const asked: string[] = []

vi.stubGlobal('getCurrentPages', () => [{ route: 'pages/home/index' }])
vi.stubGlobal('uni', {
  getStorageSync: () => '',
  setStorageSync: () => undefined,
  reLaunch: ({ url }: { url: string }) => phone.left.push(url),
})
vi.mock('../src/platform', () => ({ createPlatform: async () => ({ transport, clock: { now: () => Date.now() } }) }))
vi.mock('../src/platform/workplace', () => ({ openWorkplace: async () => ({ close: vi.fn(async () => undefined) }) }))
vi.mock('../src/platform/wechat', () => ({
  boundHere: () => phone.bound,
  loginCode: async () => phone.code,
}))

const transport = {
  request: ({ method, path, headers, body }: HttpRequest) => answered(method, path, headers, body),
  upload: ({ path, headers, file }: UploadRequest) => answered('POST', path, headers, file.id),
}

async function answered(method: string, path: string, headers: Record<string, string>, body = ''): Promise<HttpAnswer> {
  const token = headers['authorization']?.replace('Bearer ', '')
  asked.push([method, path.replace('/api/v1', ''), token, body].filter(Boolean).join(' '))
  const found = (await phone.answer({ method, path, token })) as Json
  if (found === 'no answer') throw new (await import('@gongpin/core')).NoAnswer('timeout')
  if (typeof found === 'number') {
    return { status: found, headers: {}, body: JSON.stringify({ code: found === 401 ? 'unauthenticated' : 'forbidden' }) }
  }
  return { status: 200, headers: {}, body: JSON.stringify(found ?? {}) }
}

const ME = { id: 'u1', username: 'demo_tianning', operator_name: '李敏', verbs: [] }
const RENEWAL = '/api/v1/sessions/wechat'
const RENEWED = 'POST /sessions/wechat'
const signedIn = (token: string, me: object = ME) =>
  ({ token, user: me, must_change_password: false, resets: [], expires_at: new Date(Date.now() + 7_200_000).toISOString() }) as never

/** A server that has ended the session `old`, and has `renewed` for whom WeChat knows. */
const ended = (renewed: unknown) => ({ path, token }: { path: string; token: string | undefined }) =>
  path === RENEWAL ? renewed : path.startsWith('/api/v1/sessions') || token === 'new' ? { items: [path] } : 401

/** The app as it is started anew, with the person of `ME` signed in. */
async function started() {
  vi.resetModules()
  const [services, state, renewal, { picture }] = await Promise.all([
    import('../src/services'), import('../src/session'), import('../src/renewal'), import('../src/platform/pictures'),
  ])
  state.begin(signedIn('old'))
  return { ...(await services.services()), ...state, renewing: renewal.renewing, picture, workplace: services.workplace }
}

const sent = (what: string) => asked.filter((one) => one.includes(what))

beforeEach(() => {
  Object.assign(phone, { bound: true, code: 'code', left: [] })
  asked.length = 0
})
afterEach(() => void vi.useRealTimers())

describe('a call that is refused because the session has just ended', () => {
  it('is sent once more with the new token: a page has what it asked for', async () => {
    phone.answer = ended(signedIn('new'))
    const { api, session } = await started()
    expect((await api.get('/api/v1/me/wechat', {})).body).toEqual({ items: ['/api/v1/me/wechat'] })
    expect(asked).toEqual(['GET /me/wechat old', 'POST /sessions/wechat old {"code":"code"}', 'GET /me/wechat new'])
    expect([session.token, session.expired]).toEqual(['new', false])
  })

  it('waits with all others that are refused meanwhile, or come meanwhile, for one renewal', async () => {
    let give = (_: unknown): void => undefined
    phone.answer = ended(new Promise((resolve) => (give = resolve)))
    const { api } = await started()
    const early = [api.get('/api/v1/me/wechat', {}), api.get('/api/v1/me/sessions', {})]
    await vi.waitFor(() => expect(sent(RENEWED)).toHaveLength(1))
    const late = api.get('/api/v1/products', {})
    await new Promise((resolve) => setTimeout(resolve))
    expect(sent('/products')).toEqual([])
    give(signedIn('new'))
    await Promise.all([...early, late])
    expect(sent(RENEWED)).toHaveLength(1)
    expect(sent('GET').sort()).toEqual([
      'GET /me/sessions new', 'GET /me/sessions old', 'GET /me/wechat new', 'GET /me/wechat old', 'GET /products new',
    ])
  })

  it('goes on with the new token too where its refusal comes after the renewal', async () => {
    let refuse = (_: unknown): void => undefined
    const slow = new Promise((resolve) => (refuse = resolve))
    const answer = ended(signedIn('new'))
    phone.answer = (one) => (one.path === '/api/v1/products' && one.token === 'old' ? slow : answer(one))
    const { api, session } = await started()
    const products = api.get('/api/v1/products', {})
    await api.get('/api/v1/me/wechat', {})
    refuse(401)
    expect((await products).body).toEqual({ items: ['/api/v1/products'] })
    expect(sent(RENEWED)).toHaveLength(1)
    expect(session.expired).toBe(false)
  })

  it('is a write in the same words, also with the token that a sending took before, or an upload of the same file', async () => {
    phone.answer = ended(signedIn('new'))
    const { api } = await started()
    await api.send('PUT', '/api/v1/inspections/1', { body: { org_name: '某某' }, token: 'old' })
    expect(sent('PUT')).toEqual(['PUT /inspections/1 old {"org_name":"某某"}', 'PUT /inspections/1 new {"org_name":"某某"}'])
    const next = await started()
    const file = { id: 'f1', name: '1.jpg', mediaType: 'image/jpeg' }
    await next.api.upload(file, 'photo')
    expect(sent('/files')).toEqual(['POST /files old f1', 'POST /files new f1'])
    const last = await started()
    await last.api.sendFile('/api/v1/outbox-imports', file)
    expect(sent('/outbox-imports')).toEqual(['POST /outbox-imports old f1', 'POST /outbox-imports new f1'])
  })

  it('is a picture that is fetched past the calls', async () => {
    phone.answer = ended(signedIn('new'))
    const { api, picture } = await started()
    const fetched = vi.fn(async (_: string, { headers }: { headers: { authorization: string } }) =>
      headers.authorization === 'Bearer new' ? new Response('bytes') : new Response('', { status: 401 }),
    )
    vi.stubGlobal('fetch', fetched)
    expect(await picture(api, '/api/v1/files/1/thumbnail', 'old')).toMatch(/^blob:/)
    expect(fetched).toHaveBeenCalledTimes(2)
  })

  it('is never sent a third time: a new token that is refused at once asks for the sign-in', async () => {
    phone.answer = ({ path }) => (path === RENEWAL ? signedIn('new') : 401)
    const { api, session, signedIn: core } = await started()
    await expect(api.get('/api/v1/me/wechat', {})).rejects.toMatchObject({ status: 401, code: 'unauthenticated' })
    expect(sent('GET')).toEqual(['GET /me/wechat old', 'GET /me/wechat new'])
    await expect(api.get('/api/v1/products', {})).rejects.toMatchObject({ status: 401 })
    expect(sent(RENEWED)).toHaveLength(1)
    expect([session.token, session.expired, core.signInNeeded]).toEqual(['new', true, true])
  })

  it('is not repeated for another refusal, and neither for a sign-in that is refused', async () => {
    phone.answer = () => 403
    const { api, session } = await started()
    await expect(api.get('/api/v1/me/wechat', {})).rejects.toMatchObject({ status: 403 })
    phone.answer = () => 401
    await expect(api.send('POST', '/api/v1/sessions', { body: {} })).rejects.toMatchObject({ status: 401 })
    expect(asked).toHaveLength(2)
    expect(session.expired).toBe(false)
  })
})

describe('where the session cannot be renewed', () => {
  it.each([
    ['WeChat gives no code', { code: null }, signedIn('new')],
    ['the server refuses it', {}, 403],
    ['no answer comes', {}, 'no answer'],
    ['nobody is bound on this phone', { bound: false }, signedIn('new')],
  ])('the sign-in is asked for once, and nothing is repeated: %s', async (_why, changes, renewed) => {
    Object.assign(phone, changes)
    phone.answer = ended(renewed)
    const { api, session, signedIn: core } = await started()
    const told: string[] = []
    core.watch((event) => told.push(event))
    const calls = await Promise.allSettled([api.get('/api/v1/me/wechat', {}), api.get('/api/v1/products', {})])
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sent('GET')).toEqual(['GET /me/wechat old', 'GET /products old'])
    expect(sent(RENEWED).length).toBeLessThanOrEqual(1)
    expect(told).toEqual(['sign-in-needed'])
    expect([session.token, session.expired, phone.left.length]).toEqual(['old', true, 0])
  })

  it('a later try leaves the sign-in over the page as it is, with what was typed into it, until it succeeds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    phone.answer = ended(403)
    const { api, session, renewing } = await started()
    await expect(api.get('/api/v1/products', {})).rejects.toMatchObject({ status: 401 })
    vi.setSystemTime(Date.now() + 60_000)
    const shown: boolean[] = []
    const answer = ended(signedIn('new'))
    phone.answer = (one) => (shown.push(session.expired && !renewing.value), answer(one))
    await api.get('/api/v1/products', {})
    expect(shown).toEqual([true, true, false])
    expect(session.token).toBe('new')
  })
})

describe('where WeChat knows somebody else by now', () => {
  it.each([
    ['another user', { id: 'u2', username: 'demo_qinzhou' }],
    ['another name under the same id', { username: 'demo_qinzhou' }],
  ])('%s is signed out at once, and so is this one; what waits stays in this one\'s outbox', async (_who, changes) => {
    phone.answer = ended(signedIn('theirs', { ...ME, ...changes }))
    const { api, session, signedIn: core, workplace } = await started()
    const opened = await workplace()
    const calls = await Promise.allSettled([api.get('/api/v1/me/wechat', {}), api.get('/api/v1/products', {})])
    expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sent('theirs')).toEqual(['DELETE /sessions/current theirs'])
    expect([session.token, session.me, phone.left]).toEqual([null, null, ['/pages/sign-in/index']])
    await vi.waitFor(() => expect(opened.close).toHaveBeenCalled())
    expect(core.current).toBeUndefined()
  })

  it('another person of the same user name is signed out at once, and the sign-in over the page asks for this one', async () => {
    phone.answer = ended(signedIn('theirs', { ...ME, operator_name: '王强' }))
    const { api, session } = await started()
    await expect(api.get('/api/v1/me/wechat', {})).rejects.toMatchObject({ status: 401 })
    expect(sent('theirs')).toEqual(['DELETE /sessions/current theirs'])
    expect([session.token, session.me?.operator_name, session.expired, phone.left]).toEqual(['old', '李敏', true, []])
  })

  it('a session that still lasts goes on: only its end asks for the sign-in', async () => {
    phone.answer = ({ path }) => (path === RENEWAL ? signedIn('theirs', { ...ME, id: 'u2' }) : {})
    const { api, session } = await started()
    session.renewAt = Date.now()
    await api.get('/api/v1/me/wechat', {})
    expect(sent('GET')).toEqual(['GET /me/wechat old'])
    expect([session.token, session.expired, phone.left]).toEqual(['old', false, []])
  })

  it('nothing is repeated for somebody who has signed out, or has another sign-in, meanwhile', async () => {
    for (const next of ['nobody', '王强'] as const) {
      const { api, session, begin, end } = await started()
      asked.length = 0
      const answer = ended(signedIn('new'))
      phone.answer = (one) => {
        if (one.path === RENEWAL && next === 'nobody') end()
        else if (one.path === RENEWAL) begin(signedIn('other', { ...ME, operator_name: next }))
        return answer(one)
      }
      await expect(api.get('/api/v1/me/wechat', {})).rejects.toMatchObject({ status: 401 })
      expect(sent('GET')).toEqual(['GET /me/wechat old'])
      expect(sent('DELETE')).toEqual(['DELETE /sessions/current new'])
      expect([session.token, session.expired]).toEqual([next === 'nobody' ? null : 'other', false])
    }
  })
})
