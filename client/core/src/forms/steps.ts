/** What a person says with a step of a filing (办件): by its own form, its own documents, and words. */
import type { AnswerOf } from '../api/types'
import type { Fault, FormBody } from './definition'
import { compileForm, type Form } from './form'
import { validate } from './validate'

export type DeclaredStep = AnswerOf<'/api/v1/filing-kinds/{kind}', 'get'>['steps'][number]

export interface SentPaper {
  category: string
  file_id: string
}

export interface StepSaid {
  readonly body: FormBody
  readonly papers: readonly SentPaper[]
  readonly comment: string
}

/** A step without a form asks for documents or words alone. */
const NO_FORM = { code: 'none', version: 1, title: '', kind: 'filing', sections: [] }

/** The form of a step, compiled; an empty one where it has none. */
export function formOfStep(step: DeclaredStep): Form {
  return compileForm(step.form ?? NO_FORM)
}

/** The categories of documents that a step demands and that are empty. */
export function lackingPapers(step: DeclaredStep, papers: readonly SentPaper[], problemsFound: boolean): DeclaredStep['documents'] {
  const needed = (required: string) => required === 'always' || (required === 'problems' && problemsFound)
  return step.documents.filter((one) => needed(one.required) && !papers.some((paper) => paper.category === one.category))
}

/**
 * All that is missing or wrong, at once; empty: the step can be taken. Places as in its form, `/documents`, `/comment`.
 * `today`: a date in China, `2026-11-29`.
 */
export function faultsOfStep(step: DeclaredStep, form: Form, said: StepSaid, today: string): readonly Fault[] {
  const { faults, problemsFound } = validate(form, said.body, 'submit', today)
  const papers = lackingPapers(step, said.papers, problemsFound).map(({ title }) => ({
    path: '/documents', code: 'required', message: `请上传“${title}”`,
  }))
  const words = step.comment_required && said.comment.trim() === ''
    ? [{ path: '/comment', code: 'required', message: '请写明意见或原因' }]
    : []
  return [...faults, ...papers, ...words]
}

/** What is sent with the step, beside the version of the filing. */
export function bodyOfStep(
  step: DeclaredStep, form: Form, said: StepSaid, today: string,
): { comment: string | null; data?: FormBody; documents?: SentPaper[] } {
  const { values } = validate(form, said.body, 'submit', today)
  // `answers` and `disposals` stand in every body of the engine; a step's form may have neither.
  const has = (name: string) => form.byName.has(name) || form.items.some((item) => item.place === name)
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => has(name)))
  return {
    comment: said.comment.trim() || null,
    ...(step.form ? { data: JSON.parse(JSON.stringify(own)) as FormBody } : {}),
    ...(step.documents.length ? { documents: said.papers.map(({ category, file_id }) => ({ category, file_id })) } : {}),
  }
}

/** What the server refused, at the places of the step's form. */
export function refusedAt(faults: readonly Fault[]): Fault[] {
  return faults.map((one) => ({ ...one, path: one.path.replace(/^\/data(?=\/)/, '') }))
}
