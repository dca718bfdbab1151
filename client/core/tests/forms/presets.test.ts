import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import {
  carriesOver, carryOver, compileForm, type Form, type FormBody, type FormDefinition, type PresetSources, withPresets,
} from '../../src/forms'

const ROOT = new URL('../../../../', import.meta.url)

function shipped(name: string): Form {
  return compileForm(JSON.parse(readFileSync(new URL(`inspection/forms/${name}.json`, ROOT), 'utf8')) as FormDefinition)
}

const production = shipped('gpc-production.v3')

interface Case {
  name: string
  form: string
  body: FormBody
  sources: PresetSources
  expect: { body: FormBody; filled: string[] }
}

/** The cases of `tests/vectors/presets`, which the server runs as well (`tests/core/forms/test_presets.py`). */
const CASES = new URL('tests/vectors/presets/', ROOT)

describe.each(readdirSync(CASES))('%s', (file) => {
  const { forms, cases } = JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as {
    forms: Record<string, FormDefinition>
    cases: Case[]
  }
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const own = forms[one.form]
    const { body, filled } = withPresets(own ? compileForm(own) : shipped(one.form), one.body, one.sources)
    expect([body, filled]).toEqual([one.expect.body, one.expect.filled])
  })
})

const sources = {
  enterprise: { name: '某某电缆', address: '一路 1 号', scale: '' },
  licence: { licence_no: '(苏)XK06-001-00001', valid_to: '2027-01-31' },
}

describe('presets', () => {
  test('fill in what the register knows and nobody has typed', () => {
    const { body, filled } = withPresets(production, { org_address: '二路 2 号' }, sources)
    expect(body).toEqual({
      org_name: '某某电缆', org_address: '二路 2 号', licence_no: '(苏)XK06-001-00001', licence_valid_to: '2027-01-31',
    })
    expect(filled).toEqual(['/org_name', '/licence_no', '/licence_valid_to'])
  })

  test('take from the last visit what the caller knows to be a fact, where the form does not say it', () => {
    const form = shipped('gpc-production.v2')
    expect([carriesOver(form), carriesOver(production)]).toEqual([false, true])
    const last_visit = { org_scale: 'small', org_name: '旧名', inspectors: ['甲', '乙'], remark: '上次的话' }
    const { body } = withPresets(form, {}, { ...sources, last_visit }, ['inspectors'])
    expect(body).toMatchObject({ org_scale: 'small', org_name: '某某电缆', inspectors: ['甲', '乙'] })
    expect(body).not.toHaveProperty('remark')
  })

  test('never fill in findings, whoever asks for it', () => {
    const form = compileForm({
      code: 'findings', version: 1, title: '检查', kind: 'test', sections: [{ code: 'a', title: '一', items: [
        { field: 'found', text: '有无问题', type: 'boolean', problem_when: [true], default_from: 'last.found' },
        { field: 'signature', text: '签名', type: 'signature', default_from: 'last.signature' },
        { no: '1', text: '整改', type: 'disposal', default_from: 'last.disposal' },
        { no: '2', text: '是否', type: 'boolean', default_from: 'last.found' },
      ] }],
    })
    const last = { found: true, signature: '0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10', answers: { 2: true }, disposal: 'done' }
    const also = ['found', 'signature', '1', '2']
    expect(withPresets(form, {}, { last, last_visit: last }, also)).toEqual({ body: {}, filled: [] })
  })

  test('leave out what the form would refuse', () => {
    const { filled } = withPresets(production, {}, { enterprise: { scale: 'giant', name: 'x'.repeat(101) } })
    expect(filled).toEqual([])
  })

  test('come through without a register', () => {
    expect(withPresets(production, {}, { enterprise: null }).filled).toEqual([])
  })
})

describe('a new version of the form', () => {
  test('takes along what it has a place for and names the rest', () => {
    const { body, carried, lost } = carryOver(
      production, { org_name: '某某电缆', answers: { '1.1': 'no', '9.9': 'yes' }, unable: 'maybe' }, '2026-11-20',
    )
    expect(body).toEqual({ org_name: '某某电缆', answers: { '1.1': 'no' }, disposals: {} })
    expect(carried).toBe(2)
    expect(lost.map((fault) => fault.path)).toEqual(['/answers/9.9', '/unable'])
  })
})
