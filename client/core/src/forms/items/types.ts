/**
 * What each type of item is: how a value is brought into the form that is kept, which values a draft may hold, what a
 * submission demands besides, and the sentences of its faults. The same rules as the server's `core/forms/items/`.
 */
import type { DefinitionOf, ItemDefinition, ItemType } from '../definition'
import {
  compact, isDate, isEmail, isLandline, isMobile, isResidentId, normaliseCertificateNo, normaliseMobile, usccFault,
} from './identifiers'
import { isLess, readNumber } from './quantities'
import { clean, cleanLine, cleanPerson, fold, halfWidth, hasWords, lengthOf } from '../text'

/** What became of one value: `null` when it counts as not given, else the value that is kept or the code of its fault. */
export type Entry = null | { readonly value: unknown; readonly code?: string }

/** A fault that only a submission finds. `within` is a pointer inside the value; `sentence` replaces the usual one. */
export interface SubmissionFault {
  readonly code: string
  readonly within?: string
  readonly sentence?: string
}

/** The rules of a type for one item of it. */
export interface TypeRules {
  /** What the person does with it: 填写, 选择, 上传. */
  readonly verb: string
  /** The measure word (量词) of its entries: 人, 张, 项. */
  readonly counter: string
  /** Whether its value is a list of entries. */
  readonly listed: boolean
  /** One value, or one entry of a list; never called with null. */
  readonly read: (raw: unknown) => Entry
  /** What a submission finds in a value without other fault; `today` is the local day, `2026-11-20`. */
  readonly submission: (value: unknown, today: string) => readonly SubmissionFault[]
  /** Values that are taken as they stand. */
  readonly offered: ReadonlySet<unknown>
  /** The most characters of one text, for its sentence. */
  readonly longest: number
}

export const MAX_LISTED = 50
export const WRONG: Entry = { value: undefined, code: 'wrong_type' }

const MAX_IDENTIFIER = 64
const MAX_OPTION = 100
const MAX_TEXT = 200
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DISPOSALS = ['done', 'in_progress', 'na']
const PERSONS = ['inspectors', 'samplers', 'escort', 'legal_representative', 'contact_name', 'filled_by']
const CERTIFICATES = ['licence_no', 'ccc_nos', 'licence_or_ccc_no']
const ORGANISATIONS = ['org_name', 'nominal_producer']
const NONE: readonly SubmissionFault[] = []
const NOTHING_OFFERED: ReadonlySet<unknown> = new Set()

type Made = Omit<TypeRules, 'counter'>
type Make = { readonly [Type in ItemType]: (definition: DefinitionOf<Type>) => Made }

const MAKE: Make = {
  text: (definition) => textRules(definition),
  number: (definition) => ({
    ...plain('填写', MAX_IDENTIFIER, (raw) => {
      if (typeof raw !== 'number' && typeof raw !== 'string') return WRONG
      const read = readNumber(raw, definition.scale ?? 0)
      return read === null || 'value' in read ? read : { value: undefined, code: read.code }
    }),
    submission: (value) => {
      const { minimum, maximum } = definition
      if (minimum !== undefined && isLess(value as string, minimum)) return [{ code: 'too_small' }]
      return maximum !== undefined && isLess(maximum, value as string) ? [{ code: 'too_large' }] : NONE
    },
  }),
  date: (definition) => ({
    ...plain('选择', MAX_IDENTIFIER, written(definition, halfWidth, (day) => (isDate(day) ? null : 'bad_date'))),
    submission: (value, today) =>
      definition.not_future === true && (value as string) > today ? [{ code: 'future_date' }] : NONE,
  }),
  boolean: () => plain('选择', MAX_IDENTIFIER, (raw) => {
    if (typeof raw === 'boolean') return { value: raw }
    return typeof raw === 'string' && clean(raw) === '' ? null : WRONG
  }),
  choice: (definition) => chosen(definition, definition.options?.map((option) => option.value)),
  multi: (definition) => ({
    ...chosen(definition, definition.options?.map((option) => option.value)),
    offered: NOTHING_OFFERED,
    listed: true,
    submission: (value) => countFaults(value as readonly unknown[], definition.min_items),
  }),
  disposal: (definition) => chosen(definition, DISPOSALS),
  mobile: (definition) => identity(definition, normaliseMobile, isMobile),
  tel: (definition) =>
    identity(
      definition,
      (typed) => {
        const mobile = normaliseMobile(typed)
        return isMobile(mobile) ? mobile : fold(typed)
      },
      (value) => isMobile(value) || isLandline(value),
    ),
  resident_id: (definition) => identity(definition, compact, isResidentId),
  uscc: (definition) => ({
    ...identity(definition, compact, () => true),
    submission: (value) => {
      const reason = usccFault(value as string)
      return reason === null ? NONE : [{ code: 'bad_uscc', sentence: `“${definition.text}”不正确：${reason}` }]
    },
  }),
  email: (definition) => identity(definition, halfWidth, isEmail, 100),
  region: (definition) =>
    plain('选择', MAX_IDENTIFIER, written(definition, halfWidth, (code) => (/^[0-9]{6}$/.test(code) ? null : 'bad_region'))),
  photos: (definition) => ({
    ...upload(definition, '上传'),
    listed: true,
    submission: (value) => countFaults(value as readonly unknown[], definition.min_items),
  }),
  signature: (definition) => upload(definition, '填写'),
  file: (definition) => upload(definition, '上传'),
  group: (definition) => ({
    ...plain('填写', MAX_IDENTIFIER, () => WRONG),
    listed: true,
    submission: (value) =>
      (value as readonly unknown[]).length < (definition.min_items ?? 0) ? [{ code: 'too_few' }] : NONE,
  }),
}

/** The rules of an item; `undefined` for a type that a newer server has and this release does not know. */
export function rulesOf(definition: ItemDefinition): TypeRules | undefined {
  const known = Object.prototype.hasOwnProperty.call(MAKE, definition.type)
  if (!known) return undefined
  const rules = (MAKE[definition.type] as (definition: ItemDefinition) => Made)(definition)
  return { ...rules, counter: counterOf(definition) }
}

function counterOf(definition: ItemDefinition): string {
  if (definition.type === 'photos') return '张'
  return PERSONS.includes(definition.no ?? definition.field ?? '') ? '人' : '项'
}

function plain(verb: string, longest: number, read: (raw: unknown) => Entry): Made {
  return { verb, longest, read, listed: false, submission: () => NONE, offered: NOTHING_OFFERED }
}

/** How one text is cleaned; persons and numbers of certificates are known by the name of the item. */
function tidy(definition: ItemDefinition): (typed: string) => string {
  const name = definition.no ?? definition.field ?? ''
  if (PERSONS.includes(name)) return cleanPerson
  if (CERTIFICATES.includes(name)) return normaliseCertificateNo
  return definition.type === 'text' && definition.multiline === true ? clean : cleanLine
}

/** Reads one text: cleaned, brought into its written form, and held against `fault`, which answers a code. */
function written(
  definition: ItemDefinition,
  form: (typed: string) => string,
  fault: (value: string) => string | null,
): (raw: unknown) => Entry {
  const tidied = tidy(definition)
  return (raw) => {
    if (typeof raw !== 'string') return WRONG
    const typed = tidied(raw)
    const value = typed === '' ? '' : form(typed)
    if (value === '') return null
    const code = fault(value)
    return code === null ? { value } : { value, code }
  }
}

function asIs(typed: string): string {
  return typed
}

function notLonger(longest: number): (value: string) => string | null {
  return (value) => (lengthOf(value) > longest ? 'too_long' : null)
}

function textRules(definition: DefinitionOf<'text'>): Made {
  const longest = definition.max_length ?? MAX_TEXT
  const name = definition.no ?? definition.field ?? ''
  const demanded = definition.required === true || definition.required_when !== undefined
  // Marks alone are no name and no explanation; a `/` for “none” is an answer where a number or a model is asked.
  const demandsWords =
    demanded && (definition.multiline === true || PERSONS.includes(name) || ORGANISATIONS.includes(name))
  const matches = patternOf(definition.pattern)
  const listed = definition.repeat === true
  const submission = (value: unknown): readonly SubmissionFault[] => {
    if (listed) {
      const texts = value as readonly string[]
      // Names that fold to the same text are one name.
      const faults = [...countFaults(texts.map(fold), definition.min_items)]
      texts.forEach((one, index) => {
        if (demandsWords && !hasWords(one)) faults.push({ code: 'meaningless', within: `/${index}` })
      })
      return faults
    }
    if (!matches(value as string)) {
      const sentence = definition.pattern_message
      return [sentence === undefined ? { code: 'bad_format' } : { code: 'bad_format', sentence }]
    }
    return demandsWords && !hasWords(value as string) ? [{ code: 'meaningless' }] : NONE
  }
  return { ...plain('填写', longest, written(definition, asIs, notLonger(longest))), listed, submission }
}

// What the server's expressions have and JavaScript reads otherwise: named classes and sets, anchors, flags, classes
// inside of classes. (Look-around and back-references are refused when a form is published.)
const NOT_PORTABLE = /\\[pPAzZQExGKhHRXv]|&&|--|~~|\(\?(?!:)|\[(?:[^\]\\]|\\.)*\[/

/** Tests a text by a pattern of a definition. One that JavaScript may read otherwise is left to the server. */
function patternOf(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined || NOT_PORTABLE.test(pattern)) return () => true
  for (const flags of ['u', '']) {
    try {
      const expression = new RegExp(pattern, flags)
      return (text) => expression.test(text)
    } catch {
      // With the flag, JavaScript refuses some escapes that it reads without.
    }
  }
  return () => true
}

function chosen(definition: ItemDefinition, values: readonly string[] | undefined): Made {
  const known = new Set<unknown>(values)
  const fault = values === undefined
    ? notLonger(MAX_OPTION)
    : (value: string) => (known.has(value) ? null : 'unknown_option')
  const offered = new Set<unknown>((values ?? []).filter((value) => clean(value) === value))
  return { ...plain('选择', MAX_OPTION, written(definition, asIs, fault)), offered }
}

function identity(
  definition: ItemDefinition,
  form: (typed: string) => string,
  isGenuine: (value: string, today: string) => boolean,
  longest = MAX_IDENTIFIER,
): Made {
  return {
    ...plain('填写', longest, written(definition, form, notLonger(longest))),
    submission: (value, today) => (isGenuine(value as string, today) ? NONE : [{ code: `bad_${definition.type}` }]),
  }
}

function upload(definition: ItemDefinition, verb: string): Made {
  const lower = (typed: string): string => typed.toLowerCase()
  return plain(verb, MAX_IDENTIFIER, written(definition, lower, (id) => (UUID.test(id) ? null : 'bad_file')))
}

function countFaults(values: readonly unknown[], least = 0): SubmissionFault[] {
  const faults: SubmissionFault[] = []
  if (values.length < least) faults.push({ code: 'too_few' })
  if (new Set(values).size < values.length) faults.push({ code: 'duplicate' })
  return faults
}
