/** What has become of a write that waits in the outbox, for a screen that still stands where it was sent from. */
import type { Entry } from '@gongpin/core'

import { workplace } from './services'

export type Outcome =
  /** The server has it. */
  | { done: 'accepted' }
  /** The server refused it: needs the person. */
  | { done: 'refused'; entry: Entry }
  /** No network, or no answer yet: it sends by itself. */
  | { done: 'waiting' }

const PATIENCE = 10_000

/** Waits until the write was answered, at most ten seconds; at once where there is no network. */
export async function outcomeOf({ key }: Pick<Entry, 'key'>): Promise<Outcome> {
  const { outbox } = await workplace()
  const known = (): Outcome | undefined => {
    const entry = outbox.get(key)
    if (entry === undefined) return { done: 'accepted' }
    return entry.state === 'attention' ? { done: 'refused', entry } : undefined
  }
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      stop()
      clearTimeout(timer)
      resolve(outcome)
    }
    const timer = setTimeout(() => settle(known() ?? { done: 'waiting' }), PATIENCE)
    const stop = outbox.watch((state) => {
      const outcome = known() ?? (state.pausedBy !== null && !state.sending ? ({ done: 'waiting' } as const) : undefined)
      if (outcome) settle(outcome)
    })
    const outcome = known()
    if (outcome) settle(outcome)
  })
}
