/** Ids of items on the page, and how their numbers are shown. */

/** The id of an item's element: letters, digits, `-` and `_` only, so that it can stand in a selector. */
export function idOf(pointer: string): string {
  return 'at' + pointer.replace(/[^0-9A-Za-z]/g, (one) => (one === '/' ? '-' : `_${one.charCodeAt(0).toString(16)}`))
}

/** The number of the paper, `1.1`; undefined for what only the form calls so, such as `1.1.problem`. */
export function paperNumber(no: string | undefined): string | undefined {
  return no !== undefined && /^[0-9]+(\.[0-9]+)*$/.test(no) ? no : undefined
}

/** The button that adds a word to a dictionary (新增, 新增检验项目), as the hints of forms call it: in a group with its noun. */
export function addWord(text: string, inGroup: boolean): string {
  return inGroup ? `新增${text}` : '新增'
}

/** Whether an item belongs to the question above it: `1.1.problem` to `1.1`, but `1.10` not to `1.1`. */
export function belongsTo(name: string, above: string | undefined): boolean {
  return above !== undefined && name.startsWith(`${above}.`) && paperNumber(name) === undefined
}
