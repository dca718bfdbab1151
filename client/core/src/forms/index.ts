/**
 * The form engine: forms are data, and the phone validates a body by the same rules and in the same words as the server
 * (`core/forms/`). Nothing here knows a screen, a network or a clock.
 *
 *     const form = compileForm(definition)                       // once, when the definition is loaded
 *     let body: FormBody = withPresets(form, {}, { enterprise, licence, last_visit }).body
 *     let plan = planForm(form, body, { roles })
 *
 *     body = setAnswer(body, '/answers/1.1', 'no')               // for every answer
 *     plan = planForm(form, body, { roles, previous: plan })     // parts that did not change are the same objects
 *     nextOpen(plan, '/answers/1.1')                             // pointer of 下一处未答, or null → 去核对
 *
 *     const checked = validate(form, body, 'submit', today)      // 核对: all faults at once
 *     checked.faults                                             // [{path: '/answers/1.2', code, message}]
 *     checked.values                                             // what is sent: without hidden answers
 *
 * The body keeps what is hidden, so that it is there again when the answer that hides it is taken back; a draft is sent
 * as it stands. Rows of a group: `addRow(body, '/items')`, `removeRow(body, '/items', 0)`, answers in them by
 * `setAnswer(body, '/items/0/verdict', …)`. Faults at a place of the screen: `faultsAt(checked.faults, pointer)`.
 */
export { addRow, answerAt, removeRow, setAnswer } from './answers'
export type {
  Condition, DefinitionOf, FormBody, FormDefinition, FormOption, ItemDefinition, ItemType, SectionDefinition,
} from './definition'
export { compileForm, type Form, type Item, type Section, type Tab, tabOf, UnsupportedForm } from './form'
export { compact, isDate, isMobile, isResidentId, usccFault } from './items/identifiers'
export { answerText, type Choice, choicesOf } from './items/options'
export {
  appeared, nextOpen, type Plan, planForm, type PlanItem, type PlanOptions, type PlanProblem, type PlanRow,
  type PlanSection, type PlanTab, type Progress,
} from './plan'
export { isWithin, pointer, tokensOf } from './pointers'
export { type CarriedOver, carriesOver, carryOver, type Presets, type PresetSources, withPresets } from './presets'
export { isWorkedOut } from './relations'
export { asks, isFromEntry, parentOf, propose, type Proposed, rowsFrom, searchedIn, type WordEntry, type Words } from './words'
export {
  bodyOfStep, type DeclaredStep, faultsOfStep, formOfStep, lackingPapers, refusedAt, type SentPaper, type StepSaid,
} from './steps'
export { clean, cleanLine, fold, hasWords } from './text'
export { type Checked, faultsAt, type Mode, validate } from './validate'
