/** How forms of a kind call whom they are about: a spot check (监督抽查) draws samples, the others inspect. */
export interface KindWords {
  subject: string
  again: string
  /** Shops are looked for among those without a code, too. */
  sells: boolean
  /** What comes next where the record found a problem and asks for no disposal. */
  afterProblem: string
}

const INSPECTED: KindWords = { subject: '被检查企业', again: '再查一家', sells: false, afterProblem: '' }
const KINDS: Readonly<Record<string, KindWords>> = {
  sales: { ...INSPECTED, sells: true },
  onsite_sales: { ...INSPECTED, sells: true },
  spot_check: {
    subject: '被抽样单位',
    again: '再抽查一家',
    sells: false,
    afterProblem:
      '检验结论为不合格，已列入本单位“待办”。下一步：到该企业检查，再录入一条生产企业检查或销售企业检查；复查抽样的，录入监督抽查。录入后待办自动办结。',
  },
}

export function wordsOfKind(kind: string | undefined): KindWords {
  return KINDS[kind ?? ''] ?? INSPECTED
}
