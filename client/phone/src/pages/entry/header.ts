/** The part of a form that says who is inspected, when and by whom (基本信息): leading sections, told by the names of the contract. */
import type { Form, Plan, PlanItem, PlanSection } from '@gongpin/core'

import { PEOPLE } from './presets'

/** Names that header fields of records have in every form (`docs/api.md`). */
const HEADER = new Set([
  'uscc', 'org_name', 'org_address', 'check_date', 'sampled_on', 'inspectors', 'samplers', 'unable', 'products',
])

/** Codes of the sections that are the header: from the top to the last one that has a name of the contract. */
export function headerSections(form: Form): ReadonlySet<string> {
  const codes: string[] = []
  let length = 0
  for (const section of form.sections) {
    if (section.items.some((item) => item.place !== '' || item.definition.type === 'group')) break
    codes.push(section.code)
    if (section.items.some((item) => HEADER.has(item.name))) length = codes.length
  }
  return new Set(codes.slice(0, length))
}

export interface Parts {
  header: readonly PlanSection[]
  /** What is found out on the spot. */
  findings: readonly PlanSection[]
  headerItems: readonly PlanItem[]
}

export function partsOf(plan: Plan, header: ReadonlySet<string>): Parts {
  const inHeader = plan.sections.filter((section) => header.has(section.code))
  return {
    header: inHeader,
    findings: plan.sections.filter((section) => !header.has(section.code)),
    headerItems: inHeader.flatMap((section) => section.items),
  }
}

/** What the form calls the people of the visit: 检查人员, 抽样人员. */
export function peopleWord(items: readonly PlanItem[]): string {
  return items.find(({ item }) => PEOPLE.includes(item.name))?.item.text ?? '人员'
}

/** How many of the questions are answered (目录 5/9): the required ones below the header. */
export function counted(plan: Plan, header: ReadonlySet<string>): { answered: number; total: number } {
  const { findings } = partsOf(plan, header)
  const sum = (of: (section: PlanSection) => number) => findings.reduce((all, section) => all + of(section), 0)
  return { answered: sum((one) => one.progress.requiredAnswered), total: sum((one) => one.progress.required) }
}
