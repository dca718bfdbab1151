/** What was read last of records, kept on this phone with its age, so that lists and pages are there without a network. */
import type { Json } from '@gongpin/core'

import { services } from '@/services'
import { session } from '@/session'

export interface Kept<T> {
  value: T
  /** Milliseconds since 1970. */
  at: number
}

/** Lists and records together; what was read longest ago makes room. */
const MOST = 60

/** Keeps what the server said; what one person may see is not shown to the next one on the same phone. */
export async function keep(name: string, value: unknown): Promise<void> {
  const { platform } = await services()
  const { store, clock } = platform
  const all = (await store.list(place(''))) as unknown as [string, Kept<unknown>][]
  const old = all.filter(([key]) => key !== place(name)).sort(([, one], [, other]) => other.at - one.at)
  const gone = old.slice(MOST - 1).map(([key]) => [key, undefined] as const)
  const kept = { value, at: clock.now() } as unknown as Json
  // Without room for it only the next time is slower.
  await store.write([...gone, [place(name), kept]]).catch(() => undefined)
}

export async function kept<T>(name: string): Promise<Kept<T> | undefined> {
  const { platform } = await services()
  return (await platform.store.get(place(name))) as unknown as Kept<T> | undefined
}

function place(name: string): string {
  return `seen/${session.me?.id ?? ''}/${name}`
}
