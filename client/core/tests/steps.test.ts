import { describe, expect, it } from 'vitest'

import { bodyOfStep, type DeclaredStep, faultsOfStep, formOfStep } from '../src/forms'

const DOCUMENT = { category: 'photo', title: '现场照片', required: 'problems', extensions: ['.jpg'], purposes: ['photo'], max_count: 5, max_bytes: 1 }
const FORM = {
  code: 'visit', version: 1, title: '现场核查', kind: 'filing',
  sections: [
    {
      code: 'one', title: '核查',
      items: [{ field: 'fits', text: '是否相符', type: 'boolean', required: true, problem_when: [false] }],
    },
  ],
}
const step = (changes: object) =>
  ({ form: FORM, documents: [DOCUMENT], comment_required: true, ...changes }) as unknown as DeclaredStep
const faults = (said: { fits?: boolean; papers?: { category: string; file_id: string }[]; comment?: string }, declared = step({})) =>
  faultsOfStep(
    declared, formOfStep(declared),
    { body: said.fits === undefined ? {} : { fits: said.fits }, papers: said.papers ?? [], comment: said.comment ?? '' },
    '2026-12-01',
  ).map((one) => one.path)

describe('a step with a form, documents and words', () => {
  it('says all that is missing at once', () => {
    expect(faults({})).toEqual(['/fits', '/comment'])
  })

  it('demands documents for a problem only where the form finds one', () => {
    expect(faults({ fits: true, comment: '同意' })).toEqual([])
    expect(faults({ fits: false, comment: '不符' })).toEqual(['/documents'])
    expect(faults({ fits: false, comment: '不符', papers: [{ category: 'photo', file_id: 'a' }] })).toEqual([])
  })

  it('sends what it has alone: no form, no data; no documents, no list', () => {
    const bare = step({ form: null, documents: [], comment_required: false })
    const said = { body: {}, papers: [], comment: '  ' }
    expect(faults({}, bare)).toEqual([])
    expect(bodyOfStep(bare, formOfStep(bare), said, '2026-12-01')).toEqual({ comment: null })
    const whole = step({})
    const paper = { category: 'photo', file_id: 'a', name: 'a.jpg' }
    expect(bodyOfStep(whole, formOfStep(whole), { body: { fits: false }, papers: [paper], comment: ' 不符 ' }, '2026-12-01')).toEqual({
      comment: '不符', data: { fits: false }, documents: [{ category: 'photo', file_id: 'a' }],
    })
  })
})
