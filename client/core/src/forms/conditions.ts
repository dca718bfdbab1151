/**
 * Conditions as data: when an item, a section or a rule applies.
 *
 *     {item: NAME, in: [values]}   the item's value (for a list: any of its values) is one of these
 *     {all: [conditions]}   {any: [conditions]}   {not: condition}
 *
 * An item that is not given, is invisible or has a faulty value equals nothing, so that only `not` can be true of it.
 */
import type { Condition } from './definition'

/** The derived name that conditions may ask about: whether an answer counts as a problem (问题). */
export const PROBLEMS_FOUND = 'problems_found'

/** The value of an item by its name; undefined when it is not given, invisible or faulty. */
export type Lookup = (name: string) => unknown

/** Whether a condition holds. */
export function holds(condition: Condition, value: Lookup): boolean {
  if ('item' in condition) {
    const found = value(condition.item)
    const accepted: readonly unknown[] = condition.in
    return Array.isArray(found) ? found.some((one) => accepted.includes(one)) : accepted.includes(found)
  }
  if ('all' in condition) return condition.all.every((part) => holds(part, value))
  if ('any' in condition) return condition.any.some((part) => holds(part, value))
  return !holds(condition.not, value)
}

/** The names of the items that a condition asks about. */
export function namesIn(condition: Condition | undefined): string[] {
  if (condition === undefined) return []
  if ('item' in condition) return [condition.item]
  if ('all' in condition) return condition.all.flatMap(namesIn)
  return 'any' in condition ? condition.any.flatMap(namesIn) : namesIn(condition.not)
}

/** Names in an order in which each stands behind those that it asks about. */
export function lineUp(asks: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    asks.get(name)?.forEach(visit)
    if (asks.has(name)) order.push(name)
  }
  for (const name of asks.keys()) visit(name)
  return order
}
