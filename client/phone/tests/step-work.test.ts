import type { Fault } from '@gongpin/core'
import { describe, expect, it, vi } from 'vitest'

const stored = new Map<string, unknown>()
const desk = {
  owner: 'm',
  platform: {
    store: {
      get: async (key: string) => stored.get(key),
      write: async (changes: [string, unknown][]) => changes.forEach(([key, value]) => (value === undefined ? stored.delete(key) : stored.set(key, value))),
    },
  },
}
vi.mock('@/words', () => ({ sentenceOf: String }))

const { hasOwnPage, openStep } = await import('../src/pages/enterprise/step-work')

const FORM = {
  code: 'committee', version: 1, title: '评审', kind: 'filing', sections: [{
    code: 'a', title: '意见', items: [
      { field: 'conclusion', text: '结论', type: 'choice', required: true, options: [{ value: 'agree', label: '同意' }, { value: 'refuse', label: '不同意' }] },
      { field: 'why', text: '理由', type: 'text', required: true, visible_when: { item: 'conclusion', in: ['refuse'] } },
    ],
  }],
}
const STEP = {
  action: 'approve', label: '准予', from: 'committee', to: 'approved', comment_required: true, sends: false, form: FORM,
  documents: [{ category: 'minutes', title: '会议记录', required: 'always', extensions: ['.pdf'], purposes: ['x'], max_count: 1, max_bytes: 1 }],
}
const work = (status = 'committee') =>
  ({ desk, kind: { steps: [STEP] }, filing: { value: { id: 'f', status, actions: ['approve'] } } }) as never
const paths = (faults: readonly Fault[]) => faults.map(({ path }) => path)

describe('A step with a form of its own', () => {
  it('has a page, and one without form and documents has none', () => {
    expect(hasOwnPage(STEP as never)).toBe(true)
    expect(hasOwnPage({ ...STEP, form: null, documents: [] } as never)).toBe(false)
  })

  it('is not offered where the filing stands elsewhere', async () => {
    expect(await openStep(work('approved'), 'approve')).toBeUndefined()
  })

  it('says all that is missing at once, and sends answers, documents and words', async () => {
    const step = (await openStep(work(), 'approve'))!
    expect(paths(step.check())).toEqual(['/conclusion', '/documents', '/comment'])
    step.change('/conclusion', 'refuse')
    expect(paths(step.faults.value)).toEqual(['/why', '/documents', '/comment'])
    step.change('/why', '材料不实')
    step.change('/conclusion', 'agree')
    step.attach({ category: 'minutes', file_id: 'p' })
    step.say(' 同意 ')
    expect(step.check()).toEqual([])
    expect(step.said).toEqual({ comment: '同意', data: { conclusion: 'agree' }, documents: [{ category: 'minutes', file_id: 'p' }] })
  })

  it('keeps what was typed on the phone until it is taken', async () => {
    const again = (await openStep(work(), 'approve'))!
    expect(again.body.value).toMatchObject({ conclusion: 'agree', why: '材料不实' })
    await again.forget()
    expect(stored.size).toBe(0)
    expect((await openStep(work(), 'approve'))!.body.value).toEqual({})
  })

  it('shows what the server refused at its places', async () => {
    const step = (await openStep(work(), 'approve'))!
    step.refused([{ path: '/data/conclusion', code: 'required', message: '' }, { path: '/documents', code: 'required', message: '' }])
    expect(paths(step.faults.value)).toEqual(['/conclusion', '/documents'])
  })
})
