/** The places of the top bar; nothing stands there that would be refused. */
import type { Me, Verb } from './session'

interface Place {
  path: string
  title: string
  /** Any of these verbs opens it; undefined: everybody. */
  verbs?: Verb[]
}

/** Verbs of `GET /filings`, apart from that of enterprises. */
const REVIEWS: Verb[] = [
  'filings.review', 'power.accept', 'power.approve', 'power.committee', 'power.examine', 'power.formal_check', 'power.issue',
  'transport.evaluate', 'transport.review', 'transport.supervise',
]

const PLACES: Place[] = [
  { path: '/todos', title: '待办' },
  { path: '/filings', title: '审查', verbs: [...REVIEWS, 'filings.write'] },
]

export function placesOf(me: Me | null): Place[] {
  if (me === null) return []
  return PLACES.filter((place) => !place.verbs || place.verbs.some((verb) => me.verbs.includes(verb)))
}
