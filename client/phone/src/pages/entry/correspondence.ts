/** Regulation types (监管类型) and products must fit each other; the server validates by the same rule. */
import type { DictionaryEntry, Fault, Form, FormBody } from '@gongpin/core'

/** Faults of the two items where the form has both; words that the phone does not know are left to the server. */
export function correspondenceFaults(form: Form, values: FormBody, words: readonly DictionaryEntry[]): Fault[] {
  const [types, products] = [form.byName.get('regulation_types'), form.byName.get('products')]
  const [chosenTypes, chosen] = [values['regulation_types'], values['products']]
  if (types?.definition.type !== 'multi' || products === undefined || !Array.isArray(chosenTypes) || !Array.isArray(chosen)) return []
  if (chosenTypes.length === 0 || chosen.length === 0) return []
  const known = chosen.map((id) => words.find((one) => one.id === id))
  if (known.some((one) => !one?.regulationType)) return []
  const ofProducts = new Set(known.map((one) => one!.regulationType as string))
  const labels = new Map(types.definition.options?.map((one) => [one.value, one.label]))
  const faults: Fault[] = []
  const lonely = (chosenTypes as string[]).filter((type) => !ofProducts.has(type))
  if (lonely.length > 0) {
    const names = lonely.map((type) => `“${labels.get(type) ?? type}”`).join('、')
    const message = `${types.text}选了${names}，但没有选对应的${products.text}。请补选产品，或取消该类型。`
    faults.push({ path: types.pointer, code: 'no_correspondence', message })
  }
  const without = known.filter((one) => !chosenTypes.includes(one!.regulationType))
  if (without.length > 0) {
    const names = without.map((one) => `“${one!.name}”`).join('、')
    const message = `${products.text}选了${names}，但没有选它的监管类型。请补选监管类型，或取消该产品。`
    faults.push({ path: products.pointer, code: 'no_correspondence', message })
  }
  return faults
}
