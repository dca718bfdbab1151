/** Decimal numbers as text: they are never made into floats, which would not keep them. */
import { halfWidth, lengthOf } from '../text'

const NUMBER = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/
const MAX_NUMBER_TEXT = 400
const MAX_INTEGRAL = 15
const MAX_SCALE = 6

/** What became of a number that was typed: nothing, the decimal string that is kept, or the code of its fault. */
export type ReadNumber = null | { readonly value: string } | { readonly code: string }

/** `'007.50'`, `7.5` and `'７.5'` are all `'7.5'`; `scale` is the most decimals. */
export function readNumber(raw: string | number, scale: number): ReadNumber {
  if (typeof raw === 'number' && !Number.isFinite(raw)) return { code: 'bad_number' }
  if (typeof raw === 'string' && lengthOf(raw) > MAX_NUMBER_TEXT) return { code: 'bad_number' }
  const written = typeof raw === 'number' ? writtenOut(raw) : halfWidth(raw)
  if (written === '') return null
  const parts = NUMBER.exec(written)
  if (parts === null) return { code: 'bad_number' }
  const integral = (parts[2] ?? '').replace(/^0+/, '') || '0'
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  if (integral.length > MAX_INTEGRAL) return { code: 'out_of_range' }
  if (fraction.length > scale) return { code: 'too_precise' }
  const number = fraction === '' ? integral : `${integral}.${fraction}`
  return { value: parts[1] === '-' && number !== '0' ? `-${number}` : number }
}

/** A JSON number without an exponent: `1e-7` is `0.0000001`. */
function writtenOut(number: number): string {
  const [mantissa = '', exponent = '0'] = String(number).split('e')
  const shift = Number(exponent)
  if (shift === 0) return mantissa
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [integral = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = integral + fraction
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - 1)}${digits}`
  return sign + digits.padEnd(shift + 1, '0')
}

/** Whether one decimal string is less than another, as kept by `readNumber` or written in a definition. */
export function isLess(one: string, other: string): boolean {
  const [left, right] = [sortable(one), sortable(other)]
  if (left.negative !== right.negative) return left.negative
  return left.negative ? right.digits < left.digits : left.digits < right.digits
}

/** The exact sum of decimal strings, as it is kept; null where it has more than 15 digits before the point. */
export function sumOf(decimals: readonly string[]): string | null {
  const added = LIMBS.map((_, at) => decimals.reduce((sum, one) => sum + (limbsOf(one)[at] ?? 0), 0))
  const positive = carried(added)
  const negative = (positive[0] ?? 0) < 0
  const digits = (negative ? carried(added.map((limb) => -limb)) : positive)
    .map((limb) => String(limb).padStart(LIMB_DIGITS, '0')).join('')
  const integral = digits.slice(0, -MAX_SCALE).replace(/^0+/, '') || '0'
  const fraction = digits.slice(-MAX_SCALE).replace(/0+$/, '')
  if (integral.length > MAX_INTEGRAL) return null
  return `${negative ? '-' : ''}${integral}${fraction === '' ? '' : `.${fraction}`}`
}

// Four parts of six digits, the last behind the point: no float holds 21 digits, and not every phone knows BigInt.
const LIMB_DIGITS = 6
const LIMBS = [0, 1, 2, 3]

function limbsOf(decimal: string): number[] {
  const [integral = '', fraction = ''] = decimal.replace('-', '').split('.')
  const digits = integral.padStart(3 * LIMB_DIGITS, '0') + fraction.padEnd(MAX_SCALE, '0')
  const sign = decimal.startsWith('-') ? -1 : 1
  return LIMBS.map((at) => sign * Number(digits.slice(at * LIMB_DIGITS, (at + 1) * LIMB_DIGITS)))
}

function carried(limbs: readonly number[]): number[] {
  const base = 10 ** LIMB_DIGITS
  const result = [...limbs]
  for (let at = result.length - 1; at > 0; at -= 1) {
    const carry = Math.floor((result[at] ?? 0) / base)
    result[at] = (result[at] ?? 0) - carry * base
    result[at - 1] = (result[at - 1] ?? 0) + carry
  }
  return result
}

/** Sign and digits at fixed places, so that the order of the texts is that of the numbers. */
function sortable(decimal: string): { negative: boolean; digits: string } {
  const [integral = '', fraction = ''] = decimal.replace('-', '').split('.')
  const digits = integral.padStart(MAX_INTEGRAL, '0') + fraction.padEnd(MAX_SCALE, '0')
  return { negative: decimal.startsWith('-') && /[1-9]/.test(digits), digits }
}
