/** What is asked of whoever registers: checked here by the rules of every form, in the sentences of the server. */
import { compileForm, type Fault, type FormDefinition, validate } from '@gongpin/core'

import { chinaToday } from '@gongpin/core/speech'

export type Applicant = 'organisation' | 'person'

export interface Registering {
  name: string
  code: string
  mobile: string
  email: string
  region_code: string
}

export const WORDS = {
  organisation: { name: '单位名称', code: '统一社会信用代码' },
  person: { name: '姓名', code: '身份证号' },
} as const

function formOf(applicant: Applicant): FormDefinition {
  const { name, code } = WORDS[applicant]
  const items = [
    { field: 'name', text: name, type: 'text', required: true },
    { field: 'code', text: code, type: applicant === 'person' ? 'resident_id' : 'uscc', required: true },
    { field: 'mobile', text: '手机号', type: 'mobile', required: true },
    { field: 'email', text: '邮箱', type: 'email' },
    { field: 'region_code', text: '所在地区', type: 'region', required: true },
  ]
  const sections = [{ code: 'who', title: '', items }]
  return { code: 'registration', version: 1, title: '', kind: 'filing', sections } as unknown as FormDefinition
}

/** What is missing or wrong; places are names of fields. */
export function faultsOf(applicant: Applicant, typed: Registering): Fault[] {
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value.trim() !== ''))
  return validate(compileForm(formOf(applicant)), given, 'submit', chinaToday()).faults.map((one) => ({ ...one, path: one.path.slice(1) }))
}
