/**
 * What an item says of other items: dates in their order, and numbers that are worked out from the rows of a group. The
 * same rules as the server's `core/forms/definitions/relations.py`.
 */
import { holds, type Lookup } from './conditions'
import type { DefinitionOf, ItemDefinition } from './definition'
import type { SubmissionFault } from './items/types'
import { isLess, sumOf } from './items/quantities'

/** Whether a number follows from rows instead of being filled in; nothing that is sent of it counts. */
export function isWorkedOut(definition: ItemDefinition): boolean {
  return definition.type === 'number' && (definition.sum_of !== undefined || definition.count_of !== undefined)
}

type Row = ReadonlyMap<string, unknown>

/**
 * The number that follows from visible rows without faults; null where it has too many digits. `lookup` looks a name
 * up in a row, then outside.
 */
export function workedOut(
  definition: ItemDefinition, rowsOf: (group: string) => readonly Row[], lookup: (row: Row) => Lookup,
): string | null {
  if (definition.type !== 'number') return null
  const [group = '', name] = (definition.sum_of ?? definition.count_of ?? '').split('.')
  const when = definition.rows_when
  const rows = rowsOf(group).filter((row) => when === undefined || holds(when, lookup(row)))
  if (name === undefined) return String(rows.length)
  return sumOf(rows.flatMap((row) => (row.has(name) ? [row.get(name) as string] : [])))
}

function aboveFaults(
  definition: DefinitionOf<'number'>, value: unknown, other: Lookup, textOf: (name: string) => string,
): SubmissionFault[] {
  const name = definition.not_above
  const most = name === undefined ? undefined : (other(name) as string | undefined)
  if (name === undefined || most === undefined || !isLess(most, value as string)) return []
  return [{ code: 'too_large', sentence: `“${definition.text}”不能大于“${textOf(name)}”（${most}），请核对` }]
}

/** What is wrong with a date or a number beside others; the same day is in order, and what is not known is passed over. */
export function orderFaults(
  definition: ItemDefinition, value: unknown, other: Lookup, textOf: (name: string) => string,
): SubmissionFault[] {
  if (definition.type === 'number') return aboveFaults(definition, value, other, textOf)
  if (definition.type !== 'date') return []
  const day = value as string
  const faults: SubmissionFault[] = []
  for (const relation of ['not_before', 'not_after'] as const) {
    const name = definition[relation]
    const bound = name === undefined ? undefined : (other(name) as string | undefined)
    if (name === undefined || bound === undefined || day === bound || (day > bound) === (relation === 'not_before')) continue
    const wrong = relation === 'not_before' ? '早于' : '晚于'
    faults.push({ code: 'date_order', sentence: `“${definition.text}”不能${wrong}“${textOf(name)}”，请核对` })
  }
  return faults
}
