/** What was written for a step that is not taken yet: kept in this browser, for this person alone. */
import type { FormBody } from '@gongpin/core'

import { session } from './session'

interface Draft {
  body: FormBody
  comment: string
  documents: { category: string; file_id: string; name: string }[]
}

function keyOf(filing: string, action: string): string {
  return `gongpin-step:${session.me?.id ?? ''}:${filing}:${action}`
}

export function draftOf(filing: string, action: string): Draft {
  try {
    return { body: {}, comment: '', documents: [], ...(JSON.parse(localStorage.getItem(keyOf(filing, action)) ?? '{}') as Partial<Draft>) }
  } catch {
    return { body: {}, comment: '', documents: [] }
  }
}

export function keepDraft(filing: string, action: string, draft: Draft): void {
  try {
    localStorage.setItem(keyOf(filing, action), JSON.stringify(draft))
  } catch {
    // Without room for it, it is there as long as the page is.
  }
}

export function clearDraft(filing: string, action: string): void {
  localStorage.removeItem(keyOf(filing, action))
}
