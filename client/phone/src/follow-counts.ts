/** Keeps the figures of the bottom bar and of home (`counts.ts`) as drafts and outbox change; called once, when the app starts. */
import { type OutboxState, Problem, Unreachable, type Workplace } from '@gongpin/core'
import { watch } from 'vue'

import { drafts as draftCount, waiting } from './counts'
import { online } from './platform/network'
import { workplace } from './services'
import { session } from './session'

let stops: (() => void)[] = []
let turn = 0
/** Drafts that only the server has, as it said last; one that was on this phone meanwhile is none of them any more. */
let elsewhere: readonly string[] = []
let recount: () => Promise<void> = async () => undefined

export function followCounts(): void {
  watch(() => [session.token, session.me?.id, session.me?.operator_name], () => void follow(), { immediate: true })
}

/** The server has said which drafts only it has (信息暂存 reads them whenever it is shown). */
export function draftsElsewhere(ids: readonly string[]): void {
  elsewhere = ids
  void recount()
}

async function follow(): Promise<void> {
  const mine = ++turn
  stops.forEach((stop) => stop())
  stops = []
  elsewhere = []
  recount = async () => undefined
  show(null)
  draftCount.value = 0
  if (session.token === null || !session.me?.verbs.includes('inspection.write')) return
  const place = await workplace()
  if (mine !== turn) return
  const count = async () => {
    const here = (await place.drafts.list()).map(({ id }) => id)
    if (mine !== turn) return
    elsewhere = elsewhere.filter((id) => !here.includes(id))
    draftCount.value = here.length + elsewhere.length
  }
  recount = count
  const ask = async () => {
    const found = online.value ? await serverDrafts(place) : null
    if (found !== null && mine === turn) draftsElsewhere(found)
  }
  stops = [
    place.drafts.watch(() => void count()),
    place.outbox.watch((state) => mine === turn && show(state, () => void count())),
    watch(online, ask),
  ]
  await count()
  await ask()
}

/** Ids of those that only the server has; null where it does not say. */
async function serverDrafts({ drafts }: Workplace): Promise<string[] | null> {
  try {
    return (await drafts.elsewhere()).map(({ id }) => id)
  } catch (error) {
    if (error instanceof Problem || error instanceof Unreachable) return null
    throw error
  }
}

function show(state: OutboxState | null, changed: () => void = () => undefined): void {
  waiting.count = state === null ? 0 : state.waiting + state.attention
  waiting.photos = state?.photos.total ?? 0
  waiting.needed = state?.attention ?? 0
  waiting.oldest = state?.oldest ?? null
  waiting.lastSent = state?.lastSuccess ?? null
  changed()
}
