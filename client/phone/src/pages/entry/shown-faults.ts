import { type Fault, faultsAt, type PlanItem } from '@gongpin/core'

/** The faults that belong to some of the items. */
export function shownFaults(faults: readonly Fault[], items: readonly PlanItem[]): Fault[] {
  if (faults.length === 0) return []
  return items.flatMap((one) => faultsAt(faults, one.pointer))
}
