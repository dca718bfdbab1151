/** The outbox as the page shows it, redrawn at most five times a second while it sends. */
import type { Attachment, Entry, OutboxState, SentEntry } from '@gongpin/core'
import { onUnmounted, ref, shallowRef } from 'vue'

import { workplace } from '@/services'

const PAUSE = 200

export function useOutbox() {
  const state = shallowRef<OutboxState | null>(null)
  const entries = shallowRef<Entry[]>([])
  const sent = shallowRef<SentEntry[]>([])
  const files = shallowRef<ReadonlyMap<string, Attachment>>(new Map())
  /** What of the file that is on its way was sent, 0 to 1. */
  const share = ref<{ id: string; share: number } | null>(null)
  let stops: (() => void)[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let left = false

  async function show(): Promise<void> {
    const { outbox, attachments } = await workplace()
    const known = await attachments.list()
    const now = await outbox.state()
    if (left) return
    files.value = new Map(known.map((file) => [file.id, file]))
    entries.value = outbox.list()
    sent.value = outbox.sent()
    state.value = now
  }

  function soon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void show()
    }, PAUSE)
  }

  /** Follows the outbox of whoever is signed in now. */
  async function follow(): Promise<void> {
    const { outbox, attachments } = await workplace()
    stops.forEach((stop) => stop())
    stops = left ? [] : [outbox.watch(soon), attachments.watch((progress) => (share.value = progress))]
    await show()
  }

  onUnmounted(() => {
    left = true
    clearTimeout(timer)
    stops.forEach((stop) => stop())
  })

  return { state, entries, sent, files, share, follow, show }
}
