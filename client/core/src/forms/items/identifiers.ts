/** Identifiers that people type, in the form that is kept and compared, and their check digits (`core/identifiers.py`). */
import { fold, lengthOf } from '../text'

const PLAIN = /^[0-9A-Za-z]+$/
const USCC_ALPHABET = '0123456789' + 'ABCDEFGHJKLMNPQRTUWXY'
const USCC_CHARACTERS = /^[0-9A-HJ-NPQRTUWXY]*$/
const USCC = /^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$/
const USCC_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
const RESIDENT_ID = /^[0-9]{17}[0-9X]$/
// The provinces, and 83: the residence permit (居住证) of people from Taiwan begins 830000.
const PROVINCE = /^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])/
const MOBILE = /^1[3-9][0-9]{9}$/
const MOBILE_MARKS = /[().·]+/g
// Twice where a phone adds it to a number that has it.
const COUNTRY_PREFIX = /^(?:(?:\+|00)?86)+(?=1[0-9]{10}$)/
const LANDLINE = /^(?:0[0-9]{2,3}-?)?[0-9]{7,8}(?:-[0-9]{1,6})?$/
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/
const ROUND: Readonly<Record<string, string>> = {
  '[': '(', '{': '(', '〔': '(', '【': '(', '〈': '(', ']': ')', '}': ')', '〕': ')', '】': ')', '〉': ')',
}

/** Half-width, upper case, no separators: how codes of organisations and persons are kept. */
export function compact(text: string): string {
  return PLAIN.test(text) ? text.toUpperCase() : fold(text).replace(/-/g, '').toUpperCase()
}

/** What is wrong with a unified social credit code (统一社会信用代码, GB 32100), as a Chinese phrase, or null. */
export function usccFault(text: string): string | null {
  const code = compact(text)
  const length = lengthOf(code)
  if (length !== 18) return `应为18位，现为${length}位，请核对`
  if (!USCC_CHARACTERS.test(code)) return '只能含数字和大写字母，且不使用字母 I、O、S、V、Z，请核对'
  if (!USCC.test(code)) return '第3至8位应为数字，请核对'
  const total = USCC_WEIGHTS.reduce((sum, weight, at) => sum + weight * USCC_ALPHABET.indexOf(code.charAt(at)), 0)
  return USCC_ALPHABET.charAt((31 - (total % 31)) % 31) === code.charAt(17) ? null : '校验位不符，请逐位核对'
}

/** Whether this is a resident identity number (公民身份号码, GB 11643) of somebody born from 1900 to `today`. */
export function isResidentId(text: string, today: string): boolean {
  const number = compact(text)
  if (!RESIDENT_ID.test(number) || !PROVINCE.test(number)) return false
  const birth = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`
  if (!isDate(birth) || birth < '1900-01-01' || birth > today) return false
  const remainder = Array.from(number.slice(0, 17)).reduce((sum, digit) => (sum * 13 + Number(digit)) % 11, 0)
  return '10X98765432'.charAt((remainder * 2) % 11) === number.charAt(17)
}

/** Whether this is a day of the calendar from the year 1000 on, written `2026-11-20`. */
export function isDate(text: string): boolean {
  const parts = /^([1-9][0-9]{3})-([0-9]{2})-([0-9]{2})$/.exec(text)
  if (parts === null) return false
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return day >= 1 && day <= (days[month - 1] ?? 0)
}

/**
 * The number of a licence or certificate (许可证、CCC证书编号) as it is kept: half-width, upper case, without blanks, with
 * plain hyphens and round brackets, so `（苏）xk…` is `(苏)XK…`.
 */
export function normaliseCertificateNo(text: string): string {
  return fold(text).toUpperCase().replace(/[[{〔【〈\]}〕】〉]/g, (one) => ROUND[one] ?? one)
}

/** A mainland mobile number as it is kept: half-width, no separators, brackets or dots, no `+86`. */
export function normaliseMobile(text: string): string {
  return MOBILE.test(text) ? text : compact(text).replace(MOBILE_MARKS, '').replace(COUNTRY_PREFIX, '')
}

/** Whether this is a mainland mobile number. */
export function isMobile(text: string): boolean {
  return MOBILE.test(normaliseMobile(text))
}

/** Whether this is a fixed-line number: area code and extension may be missing. */
export function isLandline(text: string): boolean {
  return LANDLINE.test(fold(text))
}

/** Whether this can be an e-mail address of at most 100 characters. */
export function isEmail(text: string): boolean {
  return lengthOf(text) <= 100 && EMAIL.test(text)
}
