/**
 * Text that people type, cleaned as the server cleans it (`core/text.py`): cleaned text is kept and sent, folded text is
 * only compared.
 *
 * Some engines of mini-programs have no tables of Unicode: there `normalize` does nothing and `\p{…}` does not compile.
 * So no expression is written with `\p`, and full width is made half width also by hand. Lookbehind is avoided, because
 * a literal with it does not load on iOS before 16.4.
 */
/* eslint-disable no-misleading-character-class */

const LINE_ENDS = /\r\n|[\r\v\f\x85\u2028\u2029]/g
// Controls, format characters, what is by its nature not drawn, halves of characters and what is no character.
const INVISIBLE = new RegExp(
  '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2' +
    '\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufeff' +
    '\\ufff0-\\ufffb\\ufffe\\uffff\\u{110bd}\\u{110cd}\\u{13430}-\\u{13438}\\u{1bca0}-\\u{1bca3}' +
    '\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e00ff}\\u{e01f0}-\\u{e0fff}]',
  'gu',
)
// Letters and symbols that are drawn as a blank: the fillers of Korean, the empty pattern of Braille.
const FILLERS = /[\u115f\u1160\u2800\u3164\uffa0]/g
const SELECTOR = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u
const SELECTORS = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu
// A variation selector says which form of an ideograph a person's name has (IVS), or that a symbol is an emoji.
const BEARS_SELECTOR =
  /[#*0-9\xa9\xae\u203c-\u2bff\u3007\u303d\u3297\u3299\u3400-\u9fff\uf900-\ufaff\u{1f000}-\u{1faff}\u{20000}-\u{3ffff}]/u
const ODD = /[^ -~\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e]/
// Replaced run by run: a pattern tried from every blank on takes time with the square of the run.
const BLANKS = /\s+/g
// Dashes, and what is typed in their place: minus, box drawing, the long mark of Japanese.
const DASHES = new RegExp(
  '[-\\u058a\\u05be\\u1400\\u1806\\u2010-\\u2015\\u2212\\u2500\\u2501\\u2e17\\u2e1a\\u2e3a\\u2e3b\\u2e40\\u2e5d' +
    '\\u301c\\u3030\\u30a0\\u30fc\\u{10ead}]+',
  'gu',
)
const NAME_DOTS = /[\u2022\u2027\u2219\u22c5\u30fb\uff0e\uff65]/g
const DOTS = /[\xb7\u2022\u2027\u2219\u22c5\u30fb]/g
const PLAIN = /^[0-9A-Za-z]+$/
const FULL_WIDTH = /[\uff01-\uff5e\u3000]/g
const WORD = letterOrDigit()

function letterOrDigit(): RegExp {
  try {
    return new RegExp('[\\p{L}\\p{N}]', 'u')
  } catch {
    return /[0-9A-Za-z\u00c0-\u1fff\u3005\u3007\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\ud840-\ud8ff]/
  }
}

/** The number of characters; those outside the first plane count once. */
export function lengthOf(text: string): number {
  return ODD.test(text) ? Array.from(text).length : text.length
}

/**
 * Text of several lines as it is kept; `''` where nothing is left. NFC; line ends are `\n`; control and invisible
 * characters are gone, what is drawn as a blank is one; no blanks at its ends nor at the ends of lines.
 */
export function clean(text: string): string {
  if (!ODD.test(text)) return text.trim()
  const visible = text.replace(LINE_ENDS, '\n').replace(INVISIBLE, '').replace(FILLERS, ' ')
  return withoutStraySelectors(visible).normalize('NFC').replace(BLANKS, withoutBlanksBeforeLineEnds).trim()
}

function withoutBlanksBeforeLineEnds(run: string): string {
  const lines = run.split('\n')
  return '\n'.repeat(lines.length - 1) + lines[lines.length - 1]!
}

function withoutStraySelectors(text: string): string {
  if (!SELECTOR.test(text)) return text
  const characters = Array.from(text)
  return characters
    .filter((one, index) => !SELECTOR.test(one) || BEARS_SELECTOR.test(characters[index - 1] ?? ''))
    .join('')
}

/** The same on one line: breaks and tabs become a blank. */
export function cleanLine(text: string): string {
  const cleaned = clean(text)
  return cleaned.replace(BLANKS, (run) => (/[\n\t]/.test(run) ? ' ' : run))
}

/** A person's name on one line; the dot within it, as in 阿里·买买提, is U+00B7 however it was typed. */
export function cleanPerson(text: string): string {
  return cleanLine(text).replace(NAME_DOTS, '\xb7')
}

/** One line with half-width characters (NFKC). */
export function halfWidth(typed: string): string {
  return cleanLine(nfkc(clean(typed)))
}

/**
 * The form in which names and numbers are compared: NFKC, no case, no blanks, nothing invisible, no variants of
 * ideographs, every run of dashes one hyphen, every dot in the middle a full stop.
 */
export function fold(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase()
  const visible = text.replace(INVISIBLE, '').replace(FILLERS, ' ').replace(SELECTORS, '')
  const folded = nfkc(caseless(nfkc(visible)))
  // Marks compose with what blanks have parted from them.
  const joined = folded.replace(FILLERS, '').replace(/\s+/g, '').normalize('NFC')
  return joined.replace(DASHES, '-').replace(DOTS, '.')
}

/** Whether cleaned text says anything: a letter, an ideograph or a digit (also as ㈱), not marks alone. */
export function hasWords(text: string): boolean {
  return WORD.test(nfkc(text))
}

function nfkc(text: string): string {
  return text
    .normalize('NFKC')
    .replace(FULL_WIDTH, (one) => (one === '\u3000' ? ' ' : String.fromCharCode(one.charCodeAt(0) - 0xfee0)))
}

// By characters, because the small sigma at the end of a word must fold like any other.
function caseless(text: string): string {
  return ODD.test(text)
    ? Array.from(text, (one) => (one === 'ı' ? one : one.toLowerCase().toUpperCase().toLowerCase())).join('')
    : text.toLowerCase()
}
