/** Keeps the figures of the bottom bar and of home (`counts.ts`) as drafts and outbox change; called once, when the app starts. */
import type { OutboxState } from '@gongpin/core'
import { watch } from 'vue'

import { drafts as draftCount, waiting } from './counts'
import { workplace } from './services'
import { session } from './session'

let stops: (() => void)[] = []
let turn = 0

export function followCounts(): void {
  watch(() => [session.token, session.me?.id, session.me?.operator_name], () => void follow(), { immediate: true })
}

async function follow(): Promise<void> {
  const mine = ++turn
  stops.forEach((stop) => stop())
  stops = []
  show(null)
  draftCount.value = 0
  if (session.token === null || !session.me?.verbs.includes('inspection.write')) return
  const place = await workplace()
  if (mine !== turn) return
  const count = async () => {
    const { length } = await place.drafts.list()
    if (mine === turn) draftCount.value = length
  }
  stops = [place.drafts.watch(() => void count()), place.outbox.watch((state) => mine === turn && show(state, () => void count()))]
  await count()
}

function show(state: OutboxState | null, changed: () => void = () => undefined): void {
  waiting.count = state === null ? 0 : state.waiting + state.attention
  waiting.photos = state?.photos.total ?? 0
  waiting.needed = state?.attention ?? 0
  waiting.oldest = state?.oldest ?? null
  waiting.lastSent = state?.lastSuccess ?? null
  changed()
}
