/** What stands in a new record before anybody typed: facts of the register and of the last visit, never findings. */
import { carriesOver, type Form, type FormBody, type Json, setAnswer, withPresets } from '@gongpin/core'

/** What the register says of an enterprise, kept or fetched. */
export interface Known {
  uscc: string
  name: string
  address: string | null
  production_address: string | null
  legal_representative: string | null
  region_code: string
  scale: string | null
  /** The products planned to be checked. */
  product_codes: readonly string[]
  licences: readonly { readonly [name: string]: Json }[]
}

/**
 * Names of the contract for what stays true from visit to visit, for forms that do not say it themselves
 * (`default_from: "last_visit.…"`): those of earlier releases and of bureaus.
 */
const FACTS = [
  'org_address', 'business_address', 'production_address', 'market_name', 'legal_representative', 'contact_name',
  'contact_tel', 'org_scale', 'regulation_types', 'products', 'licence_no', 'licence_valid_to', 'ccc_nos',
]
/** Who was there: the last ones of this phone (沿用上次). */
export const PEOPLE = ['inspectors', 'samplers']

export interface Sources {
  known: Known | undefined
  /** Typed on the start page. */
  uscc?: string
  name?: string
  /** Of a seller without a code, as the record before wrote it. */
  facts?: { readonly [name: string]: string }
  last: FormBody | undefined
  productCode: string
  people: readonly string[]
  today: string
}

export function presetBody(form: Form, sources: Sources): FormBody {
  const { known, last, productCode, people, today } = sources
  const licence = known?.licences.find((one) => one['product_code'] === productCode) ?? null
  let body: FormBody = {}
  const put = (name: string, value: unknown) => {
    const item = form.byName.get(name)
    if (item?.place === '' && body[name] === undefined && value !== undefined && value !== null && value !== '') {
      body = setAnswer(body, item.pointer, value)
    }
  }
  put('uscc', known?.uscc ?? sources.uscc)
  put('org_name', known?.name ?? sources.name)
  for (const [name, value] of Object.entries(sources.facts ?? {})) put(name, value)
  for (const item of form.items) {
    const { definition, name } = item
    // The day of the visit itself: required, and never later than today.
    if (definition.type === 'date' && definition.not_future && definition.required === true) put(name, today)
    if (PEOPLE.includes(name) && people.length > 0) put(name, people)
  }
  put('unable', false)
  // Of an enterprise that the register does not know its code is known all the same.
  const from = { enterprise: known ?? (sources.uscc ? { uscc: sources.uscc } : undefined), licence, last_visit: unmasked(last) }
  body = withPresets(form, body, from, carriesOver(form) ? [] : FACTS).body
  put('org_address', known?.address)
  put('production_address', known?.production_address ?? known?.address)
  put('legal_representative', known?.legal_representative)
  put('org_scale', known?.scale)
  put('licence_no', licence?.['licence_no'])
  put('licence_valid_to', licence?.['valid_to'])
  // Most shops do business where they are registered; it is read over with the rest.
  put('business_address', known?.address)
  return body
}

/** Masked numbers (138****0001) of another officer's record are no facts. */
function unmasked(last: FormBody | undefined): FormBody | undefined {
  if (last === undefined) return undefined
  return Object.fromEntries(Object.entries(last).filter(([, value]) => !(typeof value === 'string' && value.includes('*'))))
}

const KEY = 'colleagues'

/** The people of the last record of this person on this phone, or of the last visit if they were there; at least themselves. */
export function lastPeople(person: string, ownName: string, last: FormBody | undefined): string[] {
  const kept: unknown = uni.getStorageSync(`${KEY}/${person}`)
  if (Array.isArray(kept) && kept.length > 0) return kept as string[]
  const visit = PEOPLE.map((name) => last?.[name]).find(Array.isArray) as string[] | undefined
  if (ownName !== '' && visit?.includes(ownName)) return visit
  return ownName === '' ? [] : [ownName]
}

export function keepPeople(person: string, names: readonly string[]): void {
  try {
    uni.setStorageSync(`${KEY}/${person}`, [...names])
  } catch {
    // Without room for it they are chosen once more.
  }
}
