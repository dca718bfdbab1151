import type { Locks } from '@gongpin/core'

/** One at a time within this program. */
export function queueOfPromises(): Locks {
  const last = new Map<string, Promise<unknown>>()
  return {
    exclusively(name, work) {
      const done = (last.get(name) ?? Promise.resolve()).then(work, work)
      const settled = done.catch(() => undefined)
      last.set(name, settled)
      void settled.then(() => last.get(name) === settled && last.delete(name))
      return done
    },
  }
}
