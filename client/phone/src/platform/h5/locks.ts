import type { Locks } from '@gongpin/core'

import { queueOfPromises } from '../queue'

/** Web Locks over all tabs; where the page has none (plain HTTP on another machine than this one) a queue in this tab. */
export function openLocks(): Locks {
  if (!navigator.locks) return queueOfPromises()
  return { exclusively: (name, work) => navigator.locks.request(name, work) as Promise<never> }
}
