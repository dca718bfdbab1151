import { compileForm, type DictionaryEntry, type FormDefinition, planForm } from '@gongpin/core'
import { describe, expect, it, vi } from 'vitest'

import { asCode, candidateOf, codeIn } from '../src/pages/entry/finding'
import { correspondenceFaults } from '../src/pages/entry/correspondence'
import { counted, headerSections, partsOf } from '../src/pages/entry/header'
import { productAsked } from '../src/pages/entry/questions'
import { keepPeople, lastPeople, presetBody } from '../src/pages/entry/presets'
import { differingFrom, factsOf, problemsOf } from '../src/pages/entry/review-parts'
import { shortTitle, stateMark, stateWords } from '../src/pages/entry/sections'
import { factsIn, queryOf } from '../src/pages/entry/sellers'
import { isPhrase } from '../src/components/fields/phrases'
import production from '../../../inspection/forms/gpc-production.v3.json'
import sales from '../../../inspection/forms/gpc-sales.v4.json'
import formerSales from '../../../inspection/forms/gpc-sales.v2.json'
import spotCheck from '../../../inspection/forms/gpc-spot-check.v3.json'

const storage = new Map<string, unknown>()
vi.stubGlobal('uni', {
  getStorageSync: (key: string) => storage.get(key) ?? '',
  setStorageSync: (key: string, value: unknown) => storage.set(key, value),
})

const PRODUCTS = new Map([['05', '危险化学品'], ['06', '电线电缆'], ['07', '电热毯']])

describe('A product that the register does not know of an enterprise', () => {
  it('is said with both names, and needs no answer', () => {
    const asked = productAsked(['05', '07'], '06', PRODUCTS)
    expect(asked?.text).toContain('名录中该企业的产品是危险化学品、电热毯，不是电线电缆。')
    expect(asked?.flag).toBeUndefined()
  })

  it('is nothing to ask where the register names it, or names none', () => {
    expect(productAsked(['06'], '06', PRODUCTS)).toBeNull()
    expect(productAsked([], '06', PRODUCTS)).toBeNull()
  })
})

const form = (definition: unknown) => compileForm(definition as FormDefinition)

describe('基本信息, told by the names of the contract', () => {
  it('is enterprise, visit and scope of a check', () => {
    expect([...headerSections(form(sales))]).toEqual(['enterprise', 'visit', 'scope'])
    expect([...headerSections(form(production))]).toEqual(['enterprise', 'visit', 'scope'])
  })

  it('is task, enterprise and sampling of a spot check, but never the results', () => {
    expect([...headerSections(form(spotCheck))]).toEqual(['task', 'enterprise', 'sampling'])
  })

  it('counts the questions alone: 9 of a sales check, 11 once a problem asks for disposals', () => {
    const compiled = form(sales)
    const header = headerSections(compiled)
    const none = planForm(compiled, { unable: false })
    expect(counted(none, header)).toEqual({ answered: 0, total: 9 })
    const problem = planForm(compiled, { unable: false, answers: { '1.3': 'no' } })
    expect(counted(problem, header)).toEqual({ answered: 1, total: 11 })
    expect(partsOf(problem, header).findings.map((one) => one.code)).toEqual(['1', '2', '3', '4', 'photos', 'remarks'])
  })
})

describe('What stands in a new record', () => {
  const known = {
    uscc: '91320402DEM006731D', name: '某某电缆有限公司', address: '某路1号', production_address: '某路2号',
    legal_representative: '张某某', region_code: '320402', scale: 'small',
    licences: [{ product_code: '06', licence_no: '(苏)XK06-001-00001', valid_to: '2030-01-01' }],
  }
  const sources = { known, last: undefined, productCode: '06', people: ['甲', '乙'], today: '2026-11-27' }

  it('is what the register knows, the people of last time, and today', () => {
    expect(presetBody(form(sales), sources)).toMatchObject({
      uscc: known.uscc, org_name: known.name, org_address: '某路1号', business_address: '某路1号', unable: false,
      check_date: '2026-11-27', inspectors: ['甲', '乙'], licence_no: '(苏)XK06-001-00001', org_scale: 'small',
    })
  })

  it('never presets an answer, a disposal, a remark or a temporary stop', () => {
    const last = {
      answers: { '1.1': 'yes' }, disposals: { '4.1': 'done' }, remark: '旧', temporary_stop: true, photos: ['x'],
      products: ['0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10'], business_address: '某市场3号', check_date: '2025-11-03',
    }
    const body = presetBody(form(sales), { ...sources, last })
    for (const name of ['answers', 'disposals', 'remark', 'temporary_stop', 'photos']) expect(body).not.toHaveProperty(name)
    expect(body).toMatchObject({ products: last.products, business_address: '某市场3号', check_date: '2026-11-27' })
  })

  it.each([['now', sales], ['before', formerSales]])('has what stays true from visit to visit (%s)', (_, definition) => {
    const last = {
      business_address: '某市场3号', market_name: '某市场', contact_name: '李某', contact_tel: '0519-12345678', ccc_nos: ['2020'],
      regulation_types: ['licence'], products: ['0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10'],
    }
    expect(presetBody(form(definition), { ...sources, last })).toMatchObject(last)
  })

  it('takes no masked number of another officer for a fact', () => {
    expect(presetBody(form(sales), { ...sources, last: { contact_tel: '138****0001' } })).not.toHaveProperty('contact_tel')
  })

  it('knows no day of validity in advance, only that of the visit', () => {
    const body = presetBody(form(spotCheck), sources)
    expect(body).toMatchObject({ sampled_on: '2026-11-27', samplers: ['甲', '乙'] })
    expect(body).not.toHaveProperty('production_date')
  })

  it('has the people of this phone, else those of the last visit if one was there, else oneself', () => {
    expect(lastPeople('p', '甲', { inspectors: ['丙', '甲'] })).toEqual(['丙', '甲'])
    expect(lastPeople('p', '甲', { inspectors: ['丙', '丁'] })).toEqual(['甲'])
    keepPeople('p', ['甲', '戊'])
    expect(lastPeople('p', '甲', { inspectors: ['丙', '甲'] })).toEqual(['甲', '戊'])
  })
})

describe('A credit code', () => {
  it('is found in the address that a licence holds', () => {
    expect(codeIn('https://www.gsxt.gov.cn/index?uniscid=91320402dem006731d&x=1')).toBe('91320402DEM006731D')
    expect(codeIn('http://example.com/no-code')).toBeNull()
  })

  it('is told from a name, however it was typed', () => {
    expect(asCode(' 9132 0402-DEM0 0673 1D ')).toBe('91320402DEM006731D')
    expect(asCode('某某五金')).toBeNull()
  })
})

describe('A candidate of the register', () => {
  const enterprise = {
    uscc: '1', name: '某某', former_names: [], address: null, production_address: null, legal_representative: null,
    region_code: '', scale: null, product_codes: [], visited: [], licences: [],
  }
  const visit = {
    record_id: 'r', kind: 'sales', product_code: '06', checked_on: '2025-11-03', office: '某局', unable: false,
    problems_found: true, disposal_state: 'done', conclusion: null, findings: ['未建立台账'],
  }

  it('tells the newest visit and how many problems there were', () => {
    const visits = [{ ...visit, checked_on: '2024-01-01', findings: [] }, visit]
    expect(candidateOf({ ...enterprise, visits } as never).last).toBe('上次 2025-11-03 有问题 1')
    expect(candidateOf({ ...enterprise, visits: [] } as never).last).toBe('未检查过')
  })
})

describe('Regulation types and products', () => {
  const words: DictionaryEntry[] = [
    { id: 'a', name: '架空绞线', regulationType: 'licence', isOwn: false },
    { id: 'b', name: '电线组件', regulationType: 'ccc', isOwn: false },
  ]
  const faults = (types: string[], products: string[]) =>
    correspondenceFaults(form(production), { regulation_types: types, products }, words).map((one) => one.path)

  it('fit where each type has a product and each product its type', () => {
    expect(faults(['licence', 'ccc'], ['a', 'b'])).toEqual([])
  })

  it('are faults at the one that stands alone', () => {
    expect(faults(['licence', 'ccc'], ['a'])).toEqual(['/regulation_types'])
    expect(faults(['licence'], ['a', 'b'])).toEqual(['/products'])
  })

  it('are left to the server where the phone does not know a word', () => {
    expect(faults(['licence'], ['unknown'])).toEqual([])
  })
})

describe('How far a section is', () => {
  const progress = { answered: 2, total: 3, requiredAnswered: 2, required: 3, problems: 1, state: 'partial' as const }

  it('is said in a chip and marked in the contents', () => {
    expect(stateWords(progress)).toBe('2/3 !1')
    expect(stateWords({ ...progress, requiredAnswered: 3, problems: 0, state: 'done' })).toBe('✓')
    expect(stateMark(progress)).toBe('!')
    expect(stateMark({ ...progress, problems: 0 })).toBe('◐')
    expect(stateMark({ ...progress, problems: 0, required: 0, answered: 0, state: 'done' })).toBe('○')
  })

  it('has a short name on its chip', () => {
    const section = { code: '1', title: '证照与进货管理', items: [], progress }
    expect(shortTitle(section)).toBe('1 证照')
    expect(shortTitle({ ...section, code: 'photos', title: '现场照片' })).toBe('现场照片')
  })
})

describe('The review of a spot check', () => {
  const compiled = form(spotCheck)
  const names = new Map([['a', '导体电阻'], ['b', '标志']])
  const plan = planForm(compiled, {
    field_kind: 'production', sample_name: '电线', spec_model: 'BV 2.5', remark: '已封样',
    items: [{ item_id: 'a', measured: '7.9', verdict: 'fail' }, { item_id: 'b', verdict: 'pass' }],
  })

  it('names the item that failed, with what was measured', () => {
    expect(problemsOf(plan, names)).toEqual([
      { pointer: '/items/0/verdict', no: undefined, text: '导体电阻：不合格', notes: ['实测值：7.9'] },
    ])
  })

  it('tells the sample and each result, and nothing that was not answered', () => {
    const facts = factsOf(partsOf(plan, headerSections(compiled)).findings, names)
    expect(facts.map(({ title, lines }) => [title, lines.map((one) => one.item.text)])).toEqual([
      ['样品信息', ['样品名称', '规格型号']], ['检验结果', []], ['备注', ['备注']],
    ])
    expect(facts[1]?.rows).toEqual([
      { pointer: '/items/0', title: '导体电阻', text: '实测值 7.9 · 判定 不合格', problem: true },
      { pointer: '/items/1', title: '标志', text: '判定 合格', problem: false },
    ])
  })

  it('leaves questions to the problems and to what differs from last time', () => {
    const check = planForm(form(sales), { unable: false, answers: { '1.1': 'yes', '1.3': 'no' }, remark: '无' })
    expect(factsOf(partsOf(check, headerSections(form(sales))).findings, new Map()).map(({ title }) => title)).toEqual(['备注'])
    expect(differingFrom(check, { answers: { '1.1': 'yes', '1.3': 'yes' } }).map(({ text, words }) => `${text} ${words}`)).toEqual([
      '1.3 是否健全销售台账 是 → 否',
    ])
  })
})

describe('A remark that was written before', () => {
  it('is offered at another enterprise unless it names this one or holds figures', () => {
    expect(isPhrase('未建立进货台账', '某某五金店')).toBe(true)
    expect(isPhrase('某某五金店未建立进货台账', '某某五金店')).toBe(false)
    expect(isPhrase('9月以后没有检验记录', '某某五金店')).toBe(false)
    expect(isPhrase('抽查３卷', '')).toBe(false)
  })
})

describe('A seller without a code', () => {
  const seller = { org_name: '老王五金店', org_address: '某街9号', business_address: '某街9号', market_name: null, last_checked_on: '2026-11-20' }

  it('comes along into the next record with name and place', () => {
    const query = Object.fromEntries(queryOf(seller).split('&').map((part) => part.split('=') as [string, string]))
    const facts = factsIn(query)
    const sources = { known: undefined, name: '老王五金店', facts, last: undefined, productCode: '06', people: [], today: '2026-11-27' }
    expect(presetBody(form(sales), sources)).toMatchObject({ org_name: '老王五金店', org_address: '某街9号', business_address: '某街9号' })
    expect(presetBody(form(sales), sources)).not.toHaveProperty('uscc')
  })
})
