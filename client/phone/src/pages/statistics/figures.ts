/** What 工作统计 shows of the server's figures: tiles, bars and the table, as words; null is “–”, never 0. */
import { pageAddress } from '@/address'
import type { AnswerOf, QueryOf } from '@gongpin/core'

export type Progress = AnswerOf<'/api/v1/statistics/progress', 'get'>
export type Row = Progress['rows'][number]
type Figures = Progress['total']
export type Side = 'checks' | 'spot-checks'

/** What is counted; every figure's records are listed under the same. */
export interface Filter {
  product?: string | undefined
  region?: string | undefined
  from?: string | undefined
  to?: string | undefined
  /** 本级: without the regions below. */
  own?: boolean | undefined
}

export const NONE = '–'

/** A count, or “–” where nothing was counted. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : String(value)
}

/** A share of 1 as `58.3%`. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? NONE : `${(Math.round(share * 1000) / 10).toFixed(1)}%`
}

export interface Tile {
  name: string
  figure: string
  /** What the figure is a part of. */
  note: string
  /** The records behind it. */
  leads: string
}

/** The four tiles of one side, over the whole area. */
export function tilesOf(side: Side, total: Figures, filter: Filter): Tile[] {
  const records = (more: Record<string, string>) => recordsAt(side, filter, more)
  if (side === 'spot-checks') {
    return [
      { name: '抽查企业', figure: count(total.spot_enterprises), note: `未抽到样 ${total.spot_without_sample}`, leads: records({}) },
      { name: '抽查批次', figure: count(total.spot_batches), note: '点开看记录', leads: records({ sampled: 'true' }) },
      { name: '不合格批次', figure: count(total.failed_batches), note: '点开看记录', leads: records({ conclusion: 'fail' }) },
      {
        name: '不合格率', figure: percent(total.failed_rate), leads: records({ conclusion: 'fail' }),
        note: `批次 ${total.spot_batches}，不合格 ${total.failed_batches}`,
      },
    ]
  }
  return [
    {
      name: '检查进度', figure: percent(total.progress), leads: enterprisesAt(filter, true),
      note: `应检 ${total.planned}，已到 ${total.planned_visited}`,
    },
    {
      name: '发现问题企业', figure: count(total.problem_enterprises), leads: records({ problem: 'true' }),
      note: `处置完成 ${total.disposal_done}`,
    },
    {
      name: '办理中', figure: count(total.disposal_in_progress), leads: records({ disposal: 'in_progress' }),
      note: `没有处置 ${total.without_disposal}`,
    },
    {
      name: '还没去的', figure: total.planned ? count(total.planned - total.planned_visited) : NONE,
      note: '点开看名单', leads: enterprisesAt(filter, false),
    },
  ]
}

export interface Bar {
  key: string
  name: string
  /** 0 to 1; null: there is nothing of which it could be a share. */
  share: number | null
  percent: string
  /** `3/4`, empty where nothing is planned. */
  of: string
  leads: string
}

/** A bar a region; 本级 last, as the server sends it. */
export function barsOf(side: Side, rows: readonly Row[], filter: Filter): Bar[] {
  return rows.map((row) => {
    const [share, part, whole] =
      side === 'checks'
        ? [row.progress, row.planned_visited, row.planned]
        : [row.failed_rate, row.failed_batches, row.spot_batches]
    return {
      key: `${row.region_code ?? ''}${row.own_office ? ' own' : ''}`,
      name: row.own_office ? '本级' : (row.region_name ?? '其他'),
      share, percent: percent(share),
      of: whole ? `${part}/${whole}` : '',
      leads: below(side, row, filter),
    }
  })
}

/** Where a row leads: a region to its own figures, 本级 to its records. */
function below(side: Side, row: Row, filter: Filter): string {
  if (row.own_office || !row.region_code) return recordsAt(side, { ...filter, own: true }, {})
  return pageAddress('/pages/statistics/drill/region', { ...named({ ...filter, region: row.region_code }), side, name: row.region_name })
}

export interface Column {
  title: string
  value: (row: Figures) => string
}

const COLUMNS: Record<Side, Column[]> = {
  checks: [
    { title: '应检', value: (row) => count(row.planned) },
    { title: '已到', value: (row) => count(row.planned_visited) },
    { title: '进度', value: (row) => percent(row.progress) },
    { title: '生产检查', value: (row) => count(row.checked) },
    { title: '生产无法检查', value: (row) => count(row.unable) },
    { title: '销售检查', value: (row) => count(row.sales_checked) },
    { title: '销售无法检查', value: (row) => count(row.sales_unable) },
    { title: '发现问题', value: (row) => count(row.problem_enterprises) },
    { title: '处置完成', value: (row) => count(row.disposal_done) },
    { title: '办理中', value: (row) => count(row.disposal_in_progress) },
    { title: '没有处置', value: (row) => count(row.without_disposal) },
  ],
  'spot-checks': [
    { title: '抽查企业', value: (row) => count(row.spot_enterprises) },
    { title: '未抽到样', value: (row) => count(row.spot_without_sample) },
    { title: '批次', value: (row) => count(row.spot_batches) },
    { title: '不合格', value: (row) => count(row.failed_batches) },
    { title: '不合格率', value: (row) => percent(row.failed_rate) },
  ],
}

export interface TableLine {
  name: string
  cells: string[]
  leads?: string
}

/** Heads and lines of 看表格; the last line is 合计, which counts an enterprise once. */
export function tableOf(side: Side, figures: Progress, filter: Filter): { heads: string[]; lines: TableLine[] } {
  const columns = COLUMNS[side]
  const cells = (row: Figures) => columns.map((column) => column.value(row))
  const bars = barsOf(side, figures.rows, filter)
  const lines: TableLine[] = figures.rows.map((row, place) => {
    const bar = bars[place]!
    return { name: bar.name, cells: cells(row), leads: bar.leads }
  })
  return { heads: columns.map((one) => one.title), lines: [...lines, { name: '合计', cells: cells(figures.total) }] }
}

/** The filter in a line: 电线电缆 · 2026-04-20 至今天. */
export function filterWords(filter: Filter, productName: string | undefined): string {
  const { from, to } = filter
  const days = from ? (to ? `${from} 至 ${to}` : `${from} 至今天`) : to ? `截至 ${to}` : '全部日期'
  return `${productName ?? '全部产品'} · ${days}`
}

/** The server's names for a filter. */
export function queryOf(filter: Filter): QueryOf<'/api/v1/statistics/progress', 'get'> {
  const { product, region, from, to } = filter
  return { product_code: product as never, region, from, to }
}

/** Page of the records behind a figure, filtered under the names of the server's lists. */
export function recordsAt(side: Side, { product, region, from, to, own }: Filter, more: Record<string, string>): string {
  const type = side === 'checks' ? 'inspections' : 'spot-checks'
  const own_office = own ? 'true' : undefined
  return pageAddress('/pages/statistics/drill/records', { type, product_code: product, region, from, to, own_office, ...more })
}

/** Page of the planned enterprises that were visited or not. */
export function enterprisesAt(filter: Filter, visited: boolean): string {
  return pageAddress('/pages/statistics/drill/enterprises', { ...named(filter), visited: String(visited) })
}

function named({ product, region, from, to, own }: Filter): Record<string, string | undefined> {
  return { product, region, from, to, own: own ? 'true' : undefined }
}

/** The filter in the address of a page. */
export function filterOf(query: Record<string, string | undefined>): Filter {
  const { product, region, from, to, own } = query
  return { product, region, from, to, own: own === 'true' }
}
