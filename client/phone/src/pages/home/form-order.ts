/** Which forms stand first on home: the manual's three, in its order; all others below them. */
import type { FormSummary } from '@/lists'

const MANUAL = ['production', 'sales', 'spot_check']
/** Forms of filings (申报) and of law enforcement papers (执法文书) are opened from those; the others begin with an enterprise. */
export const ELSEWHERE = ['filing', 'enforcement']

/** The forms that home offers. */
export function entriesOf(forms: readonly FormSummary[]): { first: FormSummary[]; further: FormSummary[] } {
  const entries = forms.filter((form) => !ELSEWHERE.includes(form.kind))
  return {
    first: MANUAL.flatMap((kind) => entries.filter((form) => form.kind === kind)),
    further: entries.filter((form) => !MANUAL.includes(form.kind)),
  }
}
