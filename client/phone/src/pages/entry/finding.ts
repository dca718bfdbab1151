/** Finds the enterprise: in the register on the phone, and on the server where there is a network. */
import { compact, type KeptEnterprise, Problem, Unreachable, usccFault, type Workplace } from '@gongpin/core'

import type { Services } from '@/services'
import type { Known } from './presets'

export interface Candidate {
  uscc: string
  name: string
  address: string | null
  /** What is known of the last visit, in words. */
  last: string
}

/** A unified social credit code somewhere in a text, as in the address that a licence's QR code holds; null without one. */
export function codeIn(text: string): string | null {
  const runs = text.toUpperCase().match(/[0-9A-Z]{18,}/g) ?? []
  for (const run of runs) {
    for (let start = 0; start + 18 <= run.length; start += 1) {
      const code = run.slice(start, start + 18)
      if (usccFault(code) === null) return code
    }
  }
  return null
}

/** Whether what was typed is a whole code. */
export function asCode(typed: string): string | null {
  const code = compact(typed)
  return usccFault(code) === null ? code : null
}

export function candidateOf(enterprise: KeptEnterprise): Candidate {
  const visit = [...enterprise.visits].sort((one, other) => (one.checked_on < other.checked_on ? 1 : -1))[0]
  const problems = visit?.findings.length ? `有问题 ${visit.findings.length}` : '无问题'
  const last = visit === undefined ? '未检查过' : `上次 ${visit.checked_on} ${visit.unable ? '无法检查' : problems}`
  return { uscc: enterprise.uscc, name: enterprise.name, address: enterprise.address, last }
}

/** Enterprises of the server by name or code, at most 20; none where there is no network. */
export async function onServer({ api }: Services, typed: string): Promise<Candidate[]> {
  try {
    const { body } = await api.get('/api/v1/enterprises', { query: { q: typed, page_size: 20 } })
    return body.items.map(({ uscc, name, address }) => ({ uscc, name, address, last: '' }))
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Problem) return []
    throw error
  }
}

/** What is known of a code; undefined where neither the phone nor the server knows it. Raises nothing for a lost network. */
export async function lookUp({ register }: Workplace, { api }: Services, uscc: string, productCode: string): Promise<Known | undefined> {
  const kept = await register.get(uscc)
  if (kept !== undefined) return kept
  try {
    const query = { product_code: productCode } as never
    const { body } = await api.get('/api/v1/enterprises/{uscc}', { path: { uscc }, query })
    return body as unknown as Known
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Problem) return undefined
    throw error
  }
}
