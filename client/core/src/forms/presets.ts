/** Values that stand in a form before anybody typed: facts only, never findings (检查结果). */
import { setAnswer } from './answers'
import type { Fault, FormBody } from './definition'
import type { Form, Item } from './form'
import { readItem } from './reading'
import { validate } from './validate'

/**
 * What `default_from` may name: `{enterprise: {name: …}, licence: {…}}` for `enterprise.name`; the answer of
 * `GET /enterprises/{uscc}` is `enterprise`, and its `licence` the other. `last_visit` is the body of the last visit, as
 * far as it is known and may be read.
 */
export type PresetSources = Readonly<Record<string, unknown>>

export interface Presets {
  readonly body: FormBody
  /** Pointers of what was filled in. */
  readonly filled: readonly string[]
}

const FINDINGS = ['disposal', 'photos', 'signature', 'file', 'group']

/**
 * Fills in what is not given yet: items with `default_from` from its source or, where that has nothing, with what the
 * last visit answered to the item (沿用上次). The items named in `also` take that too, which the caller knows to be facts.
 * Disposals, items that can be problems, pictures and signatures are never filled in, nor is a value that the form
 * would refuse. The server has the same rules (`core/forms/validation/presets.py`).
 */
export function withPresets(form: Form, body: FormBody, sources: PresetSources, also: readonly string[] = []): Presets {
  const filled: string[] = []
  let filledBody = body
  for (const item of form.items) {
    const from = item.definition.default_from
    if (isFinding(item) || !(item.place === '' || isFact(item, from)) || readItem(item, given(body, item)) !== null) continue
    const known = from === undefined ? undefined : sound(item, valueAt(sources, from))
    const carried =
      item.place === '' && (from !== undefined || also.includes(item.name)) ? sound(item, valueAt(sources, `last_visit.${item.name}`)) : undefined
    const value = known ?? carried
    if (value === undefined) continue
    filledBody = setAnswer(filledBody, item.pointer, value)
    filled.push(item.pointer)
  }
  return { body: filledBody, filled }
}

/** Whether a form says itself what it takes from the last visit. */
export function carriesOver(form: Form): boolean {
  return form.items.some((item) => item.definition.default_from?.startsWith('last_visit.') === true)
}

export interface CarriedOver {
  readonly body: FormBody
  /** How many items came along (已带入 15 项). */
  readonly carried: number
  /** What of the old body this version has no place for, or refuses. */
  readonly lost: readonly Fault[]
}

/** The body of an older version of the form, as far as this version takes it; findings come along as well. */
export function carryOver(form: Form, body: FormBody, today: string): CarriedOver {
  const checked = validate(form, body, 'draft', today)
  const { answers = {}, disposals = {}, ...fields } = checked.values
  const carried = [answers, disposals, fields].reduce((sum, part) => sum + Object.keys(part).length, 0)
  return { body: checked.values, carried, lost: checked.faults }
}

/** Words of the register that stand among the answers (营业执照号); what was found there is made anew. */
function isFact(item: Item, from: string | undefined): boolean {
  return item.place === 'answers' && item.definition.type === 'text' && /^(enterprise|licence)\./.test(from ?? '')
}

function given(body: FormBody, item: Item): unknown {
  return item.place === '' ? body[item.name] : valueAt(body as PresetSources, `${item.place}`)?.[item.name as never]
}

function isFinding(item: Item): boolean {
  return item.detects || FINDINGS.includes(item.definition.type)
}

function sound(item: Item, raw: unknown): unknown {
  const read = readItem(item, raw)
  return read !== null && read.sound ? read.value : undefined
}

function valueAt(sources: PresetSources, path: string): unknown {
  return path.split('.').reduce<unknown>(
    (holder, key) => (typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[key] : undefined),
    sources,
  )
}
