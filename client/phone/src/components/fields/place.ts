/** Ids of items on the page, and how their numbers are shown. */

/** The id of an item's element: letters, digits, `-` and `_` only, so that it can stand in a selector. */
export function idOf(pointer: string): string {
  return 'at' + pointer.replace(/[^0-9A-Za-z]/g, (one) => (one === '/' ? '-' : `_${one.charCodeAt(0).toString(16)}`))
}

/** The number of the paper, `1.1`; undefined for what only the form calls so, such as `1.1.problem`. */
export function paperNumber(no: string | undefined): string | undefined {
  return no !== undefined && /^[0-9]+(\.[0-9]+)*$/.test(no) ? no : undefined
}

/** Whether an item belongs to the question above it: `1.1.problem` to `1.1`, but `1.10` not to `1.1`. */
export function belongsTo(name: string, above: string | undefined): boolean {
  return above !== undefined && name.startsWith(`${above}.`) && paperNumber(name) === undefined
}
