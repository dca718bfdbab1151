/**
 * Texts that were written before in the same field: those of this phone (as templates for remarks) and, for fields that
 * the form marks with `suggest`, those of the office.
 */
import type { ItemDefinition } from '@gongpin/core'
import { ref } from 'vue'

import { online } from '@/platform/network'
import { services } from '@/services'
import { session } from '@/session'
import { useFields } from './context'

const KEPT = 12

/** By person and field: what one has written stays one's own. */
function keyOf(name: string): string {
  return `written/${session.me?.id ?? ''}/${session.me?.operator_name ?? ''}/${name.replace(/^[0-9.]+\./, '')}`
}

function written(name: string): string[] {
  try {
    const kept: unknown = uni.getStorageSync(keyOf(name))
    return Array.isArray(kept) ? (kept as string[]) : []
  } catch {
    return []
  }
}

/** Keeps a text of a record that was submitted, the newest first. */
export function remember(name: string, text: string): void {
  const kept = [text, ...written(name).filter((one) => one !== text)].slice(0, KEPT)
  try {
    uni.setStorageSync(keyOf(name), kept)
  } catch {
    // Without room for it the next record is typed once more.
  }
}

/** Whether texts of an item are worth keeping: names and remarks, nothing personal. */
export function isRemembered(definition: ItemDefinition): boolean {
  return definition.type === 'text' && definition.sensitive !== true && (definition.multiline === true || definition.suggest === true)
}

export function useSuggestions(definition: ItemDefinition) {
  const name = definition.no ?? definition.field ?? ''
  const own = isRemembered(definition) ? written(name) : []
  const offered = ref<string[]>(own)
  const { kind } = useFields()
  let asked = false

  /** Asks the office once, when the field is entered. */
  async function load() {
    if (asked || definition.type !== 'text' || definition.suggest !== true || definition.field === undefined) return
    if (!online.value || kind === undefined) return
    asked = true
    try {
      const { api } = await services()
      const query = { kind: kind(), field: definition.field } as never
      const { body } = await api.get('/api/v1/suggestions', { query })
      offered.value = [...new Set([...own, ...body.items.map((one) => one.value)])]
    } catch {
      // Suggestions are a convenience: without them one types.
      asked = false
    }
  }

  return { offered, load }
}
