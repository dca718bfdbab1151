/** The places of the top bar; nothing stands there that would be refused. */
import type { Me } from './session'

interface Place {
  path: string
  title: string
  opens: (me: Me) => boolean
}

const PLACES: Place[] = [
  { path: '/todos', title: '待办', opens: () => true },
  { path: '/filings', title: '审查', opens: (me) => me.sees_filings },
]

export function placesOf(me: Me | null): Place[] {
  return me === null ? [] : PLACES.filter((place) => place.opens(me))
}
