/** The filters of 信息查看: those of the server's lists, as choices of a sheet, as chips, and as an address. */
import type { RecordQuery, RecordType } from './types'

/** What is filtered by, under the names of the server's list; what is not there does not filter. */
export type Filters = Pick<
  RecordQuery,
  | 'status' | 'kind' | 'product_code' | 'region' | 'from' | 'to' | 'problem' | 'disposal' | 'unable' | 'conclusion'
  | 'sampled' | 'own_office'
>
export type FilterName = keyof Filters

export interface Choice {
  value: string | boolean
  label: string
  /** Stands on the chip where the label alone would not say enough. */
  chip?: string
}

export interface FilterGroup {
  name: FilterName
  title: string
  choices: Choice[]
}

/** The words of what the server names by codes. */
export interface Names {
  kinds: Choice[]
  products: Choice[]
  /** The regions directly below the own one. */
  regions: Choice[]
  /** Of a region that is filtered by and lies deeper; never offered. */
  deeper?: Choice | undefined
}

const CHECKS: FilterGroup[] = [
  { name: 'problem', title: '检查结果', choices: [{ value: true, label: '有问题' }, { value: false, label: '没有问题' }] },
  {
    name: 'disposal',
    title: '处置',
    choices: [
      { value: 'in_progress', label: '办理中', chip: '处置办理中' },
      { value: 'done', label: '已完成', chip: '处置已完成' },
      { value: 'na', label: '不适用', chip: '处置不适用' },
    ],
  },
  {
    name: 'unable',
    title: '检查情况',
    choices: [{ value: false, label: '已检查' }, { value: true, label: '无法检查' }],
  },
]
const SPOT_CHECKS: FilterGroup[] = [
  {
    name: 'conclusion',
    title: '检验结论',
    choices: [
      { value: 'fail', label: '不合格' },
      { value: 'pass', label: '合格' },
      { value: 'not_judged', label: '不判定' },
    ],
  },
  {
    name: 'sampled',
    title: '抽样',
    choices: [{ value: true, label: '抽到样品' }, { value: false, label: '未抽到样品' }],
  },
]

/** The groups of the sheet for checks or spot checks; those without a choice are left out. */
export function groupsOf(type: RecordType, names: Names): FilterGroup[] {
  const groups: FilterGroup[] = [
    ...(type === 'inspections' ? CHECKS : SPOT_CHECKS),
    ...(type === 'inspections' ? [{ name: 'kind' as const, title: '检查类型', choices: names.kinds }] : []),
    { name: 'product_code', title: '产品', choices: names.products },
    { name: 'region', title: '地区', choices: names.regions },
    { name: 'own_office', title: '填报单位', choices: [{ value: true, label: '只看本级' }] },
    { name: 'status', title: '状态', choices: [{ value: 'voided', label: '已作废' }] },
  ]
  return groups.filter((group) => group.choices.length > 0)
}

export interface Chip {
  name: FilterName
  text: string
}

/** Applied filters as removable chips, in the order of the sheet. `deeper`: the region of an address, if it has a name. */
export function chipsOf(filters: Filters, groups: FilterGroup[], deeper?: Choice): Chip[] {
  const chosen = groups.flatMap(({ name, choices }) => {
    const choice = choices.find((one) => one.value === filters[name])
    if (choice) return [{ name, text: choice.chip ?? choice.label }]
    return filters[name] === undefined || name === 'region' ? [] : [{ name, text: String(filters[name]) }]
  })
  // Given by an address: a figure's region may lie deeper than the sheet offers, and a county has no regions to offer.
  if (filters.region !== undefined && !chosen.some(({ name }) => name === 'region')) {
    chosen.push({ name: 'region', text: deeper?.value === filters.region ? deeper.label : '所选地区' })
  }
  const { from, to } = filters
  const days: Chip[] = []
  if (from) days.push({ name: 'from', text: to === from ? from : `${from} 起` })
  if (to && to !== from) days.push({ name: 'to', text: `到 ${to}` })
  return [...days, ...chosen]
}

/** Without one filter; of a single day both ends go. */
export function without(filters: Filters, name: FilterName): Filters {
  const left = { ...filters }
  if (name === 'from' && left.to === left.from) delete left.to
  delete left[name]
  return left
}

/** The other tab knows only those that both lists have. */
export function forType(filters: Filters, type: RecordType): Filters {
  const foreign: FilterName[] =
    type === 'inspections' ? ['conclusion', 'sampled'] : ['problem', 'disposal', 'unable', 'kind']
  return foreign.reduce(without, filters)
}

const NAMES: FilterName[] = [
  'status', 'kind', 'product_code', 'region', 'from', 'to', 'problem', 'disposal', 'unable', 'conclusion', 'sampled',
  'own_office',
]
const BOOLEANS: FilterName[] = ['problem', 'unable', 'sampled', 'own_office']

/** Filters among a page's parameters (`?problem=true&product_code=06`); what the list does not know is left out. */
export function filtersOf(address: Readonly<Record<string, string | undefined>>): Filters {
  const found = NAMES.flatMap((name) => {
    const text = address[name]
    if (text === undefined || text === '') return []
    return [[name, BOOLEANS.includes(name) ? text === 'true' : text] as const]
  })
  return Object.fromEntries(found) as Filters
}

/** What is wrong with the days that were typed, or null. */
export function faultOfDays({ from, to }: Filters): string | null {
  const day = /^\d{4}-\d{2}-\d{2}$/
  for (const one of [from, to]) if (one && !day.test(one)) return '请按 2026-11-27 的样子填写日期。'
  return from && to && to < from ? '截止日期不能早于起始日期，请改正其中一个。' : null
}
