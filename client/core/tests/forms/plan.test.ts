import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import {
  addRow, appeared, compileForm, type Form, type FormBody, type FormDefinition, nextOpen, type Plan, planForm,
  removeRow, setAnswer, UnsupportedForm, validate,
} from '../../src/forms'

const ROOT = new URL('../../../../', import.meta.url)

function shipped(name: string): Form {
  return compileForm(JSON.parse(readFileSync(new URL(`inspection/forms/${name}.json`, ROOT), 'utf8')) as FormDefinition)
}

function small(items: FormDefinition['sections'][number]['items']): Form {
  return compileForm({
    code: 'small', version: 1, title: '小表', kind: 'test', sections: [{ code: 'a', title: '一', items }],
  })
}

function sectionCodes(plan: Plan): string[] {
  return plan.sections.map((section) => section.code)
}

function names(plan: Plan): string[] {
  return [...plan.byPointer.keys()]
}

const sales = shipped('gpc-sales.v2')
const spotCheck = shipped('gpc-spot-check.v3')
const YES_NO = [{ value: 'yes', label: '是' }, { value: 'no', label: '否' }]

describe('rows in rows', () => {
  const form = small([
    { field: 'staff', text: '人员', type: 'group', min_items: 1, items: [
      { field: 'name', text: '姓名', type: 'text', required: true },
      { field: 'jobs', text: '经历', type: 'group', min_items: 1, items: [
        { field: 'unit', text: '单位', type: 'text', required: true },
        { field: 'why', text: '离职原因', type: 'text', visible_when: { item: 'name', in: ['甲'] } }] }] },
  ])

  test('the first answer makes the rows, and an answer taken back leaves them', () => {
    let body = setAnswer({}, '/staff/0/jobs/0/unit', '某厂')
    expect(body).toEqual({ staff: [{ jobs: [{ unit: '某厂' }] }] })
    body = addRow(body, '/staff/0/jobs', { unit: '某所' })
    expect(removeRow(body, '/staff/0/jobs', 0)).toEqual({ staff: [{ jobs: [{ unit: '某所' }] }] })
    expect(setAnswer(body, '/staff/0/jobs/1/unit', null)).toEqual({ staff: [{ jobs: [{ unit: '某厂' }, {}] }] })
  })

  test('they are counted, come next, and are shown by the row around them', () => {
    const plan = planForm(form, { staff: [{ name: '甲', jobs: [{}] }, { name: '乙', jobs: [{ unit: '某厂' }] }] })
    expect(plan.open).toEqual(['/staff/0/jobs/0/unit'])
    expect(nextOpen(plan, '/staff/0/name')).toBe('/staff/0/jobs/0/unit')
    expect(names(plan)).toContain('/staff/0/jobs/0/why')
    expect(names(plan)).not.toContain('/staff/1/jobs/0/why')
    expect(plan.byPointer.get('/staff/0')).toBeUndefined()
    expect(plan.byPointer.get('/staff')?.rows[0]?.progress).toMatchObject({ required: 3, requiredAnswered: 2 })
  })

  test('what did not change is the same object again', () => {
    const body = { staff: [{ name: '甲', jobs: [{}] }, { name: '乙', jobs: [{ unit: '某厂' }] }] }
    const before = planForm(form, body)
    const now = planForm(form, setAnswer(body, '/staff/0/jobs/0/unit', '某所'), { previous: before })
    expect(now.byPointer.get('/staff/1/jobs')).toBe(before.byPointer.get('/staff/1/jobs'))
    expect(now.byPointer.get('/staff/0/jobs')).not.toBe(before.byPointer.get('/staff/0/jobs'))
  })
})

describe('tabs and what may be owed', () => {
  const vectors = JSON.parse(readFileSync(new URL('tests/vectors/forms/tabs-and-owed.json', ROOT), 'utf8')) as {
    forms: Record<string, FormDefinition>
  }
  const form = compileForm(vectors.forms['application']!)

  test('a tab holds its sections and says how far they are', () => {
    const plan = planForm(form, { mode: 'general', staff: [{ left: true }] })
    expect(plan.tabs.map((tab) => [tab.title, tab.sections.map((one) => one.code)])).toEqual([
      ['基本信息', ['head', 'papers']], ['技术人员', ['staff']],
    ])
    expect(plan.tabs.map((tab) => [tab.progress.requiredAnswered, tab.progress.required])).toEqual([[1, 4], [0, 1]])
    expect(planForm(sales, {}).tabs).toEqual([])
  })

  test('what may be owed is neither open nor demanded, and says until when', () => {
    const plan = planForm(form, { mode: 'deficient', papers_due: '2026-12-01', staff: [{}] })
    expect(plan.open).toEqual(['/licence', '/answers/1.1'])
    expect(plan.byPointer.get('/audit')).toMatchObject({ required: false, owedUntil: '2026-12-01' })
    expect(plan.byPointer.get('/staff/0/contract')).toMatchObject({ required: false, owedUntil: '' })
    expect(plan.byPointer.get('/licence')?.owedUntil).toBeUndefined()
  })

  test('a tab that did not change is the same object again', () => {
    const before = planForm(form, { mode: 'general', staff: [{}] })
    const now = planForm(form, { mode: 'deficient' , staff: [{}] }, { previous: before })
    expect(now.tabs[0]).not.toBe(before.tabs[0])
    const later = planForm(form, { mode: 'deficient', staff: [{ left: true }] }, { previous: now })
    expect(later.tabs[0]).toBe(now.tabs[0])
  })
})

describe('sections and items', () => {
  test('a section whose condition does not hold is not there, and comes when it holds', () => {
    const before = planForm(sales, {})
    expect(sectionCodes(before)).not.toContain('scope')
    expect(sectionCodes(planForm(sales, { unable: false }))).toEqual(
      ['enterprise', 'visit', 'scope', '1', '2', '3', 'photos', 'remarks'],
    )
  })

  test('what an answer brings is named, so that it can be announced', () => {
    const before = planForm(sales, { unable: false, answers: { '1.1': 'yes' } })
    const now = planForm(sales, { unable: false, answers: { '1.1': 'no' } })
    expect(appeared(before, now)).toEqual(
      ['/answers/1.1.problem', ...names(now).filter((pointer) => pointer.startsWith('/disposals/'))],
    )
  })

  test('disposals join with the first problem and go with the last one', () => {
    let body: FormBody = { unable: false }
    expect(sectionCodes(planForm(sales, body))).not.toContain('4')
    body = setAnswer(body, '/answers/1.1', 'no')
    expect(sectionCodes(planForm(sales, body))).toContain('4')
    expect(sectionCodes(planForm(sales, setAnswer(body, '/answers/1.1', 'yes')))).not.toContain('4')
  })

  test('a disposal without a condition of its own waits for a problem all the same, unless it was answered already', () => {
    const form = small([
      { no: '1', text: '有无问题', type: 'boolean', problem_when: [true] },
      { no: '2', text: '责令改正', type: 'disposal', required: true },
    ])
    expect(names(planForm(form, {}))).toEqual(['/answers/1'])
    expect(names(planForm(form, { answers: { 1: true } }))).toEqual(['/answers/1', '/disposals/2'])
    const taken = { answers: { 1: false }, disposals: { 2: 'done' } }
    expect(names(planForm(form, taken))).toEqual(['/answers/1', '/disposals/2'])
    expect(validate(form, taken, 'submit', '2026-11-20').faults.map((fault) => fault.path)).toEqual(['/disposals/2'])
  })

  test('a hidden answer is kept, counts for nothing and is not sent', () => {
    const body: FormBody = { unable: true, answers: { '1.1': 'no' } }
    const plan = planForm(sales, body)
    expect(plan.problemsFound).toBe(false)
    expect(names(plan)).not.toContain('/answers/1.1')
    expect(validate(sales, body, 'submit', '2026-11-20').values.answers).toEqual({})
    expect(planForm(sales, setAnswer(body, '/unable', false)).byPointer.get('/answers/1.1')?.value).toBe('no')
  })

  test('an item of other roles is not shown', () => {
    const form = small([
      { field: 'mine', text: '甲', type: 'text' },
      { field: 'theirs', text: '乙', type: 'text', roles: ['licence_reviewer'] },
    ])
    expect(names(planForm(form, {}, { roles: ['inspector'] }))).toEqual(['/mine'])
    expect(names(planForm(form, {}, { roles: ['inspector', 'licence_reviewer'] }))).toEqual(['/mine', '/theirs'])
    expect(names(planForm(form, {}))).toEqual(['/mine', '/theirs'])
  })
})

describe('progress', () => {
  test('counts what is required and answered, section by section', () => {
    const plan = planForm(sales, { unable: false, answers: { '1.1': 'yes', '1.2': 'no' } })
    const first = plan.sections.find((section) => section.code === '1')
    expect(first?.progress).toMatchObject(
      { required: 3, requiredAnswered: 2, answered: 2, total: 4, problems: 1, state: 'partial' },
    )
    expect(plan.sections.find((section) => section.code === '2')?.progress.state).toBe('empty')
    expect(plan.sections.find((section) => section.code === 'photos')?.progress.state).toBe('done')
  })

  test('a blank text is no answer', () => {
    expect(planForm(sales, { org_name: ' \u200b ' }).byPointer.get('/org_name')?.answered).toBe(false)
  })

  test('what is required by a condition counts once the condition holds', () => {
    const before = planForm(sales, { unable: true })
    const after = planForm(sales, { unable: true, unable_reason: 'other' })
    expect(before.open).not.toContain('/unable_note')
    expect(after.open).toContain('/unable_note')
  })

  test('of two that a rule asks for, one counts, with the sentence at both', () => {
    const sample = { uscc: '91320402DEM006731D', field_kind: 'production' }
    const counted = (body: FormBody) => planForm(spotCheck, body).sections.find(({ code }) => code === 'sample')!.progress
    const none = planForm(spotCheck, sample)
    expect(none.open).toContain('/batch_no')
    expect(none.open).not.toContain('/production_date')
    expect(counted(sample)).toMatchObject({ required: 6, requiredAnswered: 0 })
    const dated = planForm(spotCheck, { ...sample, production_date: '2026-11-01' })
    expect(dated.open).not.toContain('/batch_no')
    expect(counted({ ...sample, production_date: '2026-11-01' })).toMatchObject({ required: 6, requiredAnswered: 1 })
    expect(['/batch_no', '/production_date', '/grade'].map((at) => dated.byPointer.get(at)?.oneOf)).toEqual(
      ['批号和生产日期至少填写一项', '批号和生产日期至少填写一项', null],
    )
  })

  test('what is counted is what a submission demands: with all of it answered nothing is refused', () => {
    let body: FormBody = { field_kind: 'production', samplers: ['甲', '乙'] }
    const given: Record<string, unknown> = {
      uscc: '91320402DEM006731D', sampled_on: '2026-11-20', sampling_place: 'shelf', sampling_base: '9', sample_qty: '3',
      items: [{ item_id: '0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10', verdict: 'pass' }],
    }
    for (let open = planForm(spotCheck, body).open; open.length > 0; open = planForm(spotCheck, body).open) {
      const name = open[0]!.slice(1)
      body = setAnswer(body, open[0]!, given[name] ?? '甲')
    }
    expect(body).toHaveProperty('batch_no')
    expect(validate(spotCheck, body, 'submit', '2026-11-20').faults).toEqual([])
  })

  test('a read-only item is never open', () => {
    const form = small([{ field: 'total', text: '合计', type: 'number', required: true, readonly: true }])
    expect(planForm(form, {}).open).toEqual([])
  })
})

describe('the next open item', () => {
  const body: FormBody = { unable: false, answers: { '1.1': 'yes', '1.3': 'yes' } }
  const plan = planForm(sales, body)

  test('is the next one behind the answer, past what is answered', () => {
    expect(nextOpen(plan, '/answers/1.1')).toBe('/answers/1.2')
    expect(nextOpen(plan, '/answers/1.2')).toBe('/answers/2.1')
  })

  test('is searched from the top again at the end', () => {
    expect(nextOpen(plan, '/answers/3.3')).toBe(plan.open[0])
    expect(nextOpen(plan)).toBe('/org_name')
  })

  test('is null when nothing is left', () => {
    const form = small([{ field: 'name', text: '名称', type: 'text', required: true }])
    expect(nextOpen(planForm(form, { name: '甲' }))).toBeNull()
  })
})

describe('problems', () => {
  test('are listed in the words of the form, and by question and answer where it has none', () => {
    const form = small([
      { no: '1', text: '是否建立台账', type: 'choice', options: YES_NO, problem_when: ['no'], problem_text: '未建立台账' },
      { no: '2', text: '是否依法取得证照', type: 'choice', options: YES_NO, problem_when: ['no'] },
      { no: '3', text: '是否停产', type: 'boolean', problem_when: [true] },
    ])
    const plan = planForm(form, { answers: { 1: 'no', 2: 'no', 3: true } })
    expect(plan.problems.map((problem) => problem.text)).toEqual(['未建立台账', '是否依法取得证照：否', '是否停产：是'])
  })
})

describe('rows of a group', () => {
  test('are added, answered, and taken away', () => {
    let body: FormBody = addRow(addRow({}, '/items'), '/items', { requirement: '≤ 5' })
    body = setAnswer(body, '/items/0/verdict', 'pass')
    const plan = planForm(spotCheck, body)
    expect(plan.byPointer.get('/items')?.rows.map((row) => row.progress.requiredAnswered)).toEqual([1, 0])
    expect(plan.byPointer.get('/items/0/verdict')?.value).toBe('pass')
    expect(removeRow(body, '/items', 0)).toEqual({ items: [{ requirement: '≤ 5' }] })
    expect(removeRow(removeRow(body, '/items', 0), '/items', 0)).toEqual({})
  })

  test('have conditions and open items of their own', () => {
    const form = small([{
      field: 'rows', text: '行', type: 'group', min_items: 1, items: [
        { field: 'bad', text: '不合格', type: 'boolean', required: true, problem_when: [true] },
        { field: 'why', text: '原因', type: 'text', required: true, visible_when: { item: 'bad', in: [true] } },
      ],
    }])
    expect(planForm(form, {}).open).toEqual(['/rows'])
    const plan = planForm(form, { rows: [{ bad: false, why: '旧' }, { bad: true }, {}] })
    expect(plan.open).toEqual(['/rows/1/why', '/rows/2/bad'])
    expect(names(plan)).toEqual(['/rows', '/rows/0/bad', '/rows/1/bad', '/rows/1/why', '/rows/2/bad'])
    expect(plan.problems.map((problem) => problem.pointer)).toEqual(['/rows/1/bad'])
  })
})

describe('a plan after another', () => {
  test('has the same objects for what did not change', () => {
    const body: FormBody = { unable: false, answers: { '1.1': 'yes' }, items: [] }
    const before = planForm(sales, body)
    const now = planForm(sales, setAnswer(body, '/answers/1.2', 'yes'), { previous: before })
    const changed = [...now.byPointer].filter(([pointer, item]) => before.byPointer.get(pointer) !== item)
    expect(changed.map(([pointer]) => pointer)).toEqual(['/answers/1.2'])
    expect(now.sections.filter((section) => !before.sections.includes(section)).map((one) => one.code)).toEqual(['1'])
    expect(planForm(sales, body, { previous: before }).sections).toBe(before.sections)
  })

  test('keeps the rows that did not change', () => {
    const body: FormBody = { items: [{ verdict: 'pass' }, { verdict: 'pass' }] }
    const before = planForm(spotCheck, body)
    const now = planForm(spotCheck, setAnswer(body, '/items/1/verdict', 'fail'), { previous: before })
    const rows = (plan: Plan): unknown[] => [...(plan.byPointer.get('/items')?.rows ?? [])]
    expect(rows(now)[0]).toBe(rows(before)[0])
    expect(rows(now)[1]).not.toBe(rows(before)[1])
  })
})

describe('bodies', () => {
  test('are never changed in place', () => {
    const body: FormBody = Object.freeze({ answers: Object.freeze({ 1: 'yes' }) })
    expect(setAnswer(body, '/answers/2', 'no')).toEqual({ answers: { 1: 'yes', 2: 'no' } })
    expect(setAnswer(body, '/answers/1', undefined)).toEqual({ answers: {} })
    expect(body).toEqual({ answers: { 1: 'yes' } })
  })

  test('get a list from the first row of a group, and lose what is taken away', () => {
    const body = setAnswer({}, '/items/0', {})
    expect(body).toEqual({ items: [{}] })
    expect(setAnswer({ items: null }, '/items/0/verdict', 'pass')).toEqual({ items: [{ verdict: 'pass' }] })
    expect(setAnswer({ inspectors: ['甲', '乙'] }, '/inspectors/0', null)).toEqual({ inspectors: ['乙'] })
  })

  test('may have items that are called like keys of every object', () => {
    const form = small([
      { no: '__proto__', text: '甲', type: 'text', required: true },
      { field: 'constructor', text: '乙', type: 'text', required: true },
    ])
    expect(planForm(form, {}).open).toEqual(['/answers/__proto__', '/constructor'])
    const body = setAnswer(setAnswer({}, '/answers/__proto__', '一'), '/constructor', '二')
    expect(planForm(form, body).open).toEqual([])
    const sent = JSON.stringify(validate(form, body, 'submit', '2026-11-20').values)
    expect(sent).toBe('{"constructor":"二","answers":{"__proto__":"一"},"disposals":{}}')
  })
})

test('a form with a type of a newer release is refused in words for the person', () => {
  const item = { field: 'sound', text: '录音', type: 'recording' } as unknown as { field: string; text: string; type: 'text' }
  expect(() => small([item])).toThrow(UnsupportedForm)
  expect(() => small([item])).toThrow('请更新')
})
