/**
 * The screens of the desk and who opens them; nothing is offered that would be refused. `screens.json` is read by a test of
 * the server too, which holds it to the gates of what each screen reads. `filings`: any verb of a system of filings.
 */
import screens from './screens.json'
import type { Me } from './session'

export interface Screen {
  path: string
  title: string
  /** The place of the top bar under which it stands; null: it is reached from another screen. */
  menu: string | null
  verbs: string[]
}

const SCREENS: readonly Screen[] = screens

export function may(me: Me | null, ...verbs: string[]): boolean {
  return me !== null && verbs.some((verb) => (verb === 'filings' ? me.sees_filings : (me.verbs as string[]).includes(verb)))
}

export function opens(me: Me | null, screen: Screen): boolean {
  return me !== null && (screen.verbs.length === 0 || may(me, ...screen.verbs))
}

export function screenOf(path: string): Screen | undefined {
  return SCREENS.find((one) => one.path === path)
}

/** The places of the top bar, each leading to the first of its screens that opens. */
export function placesOf(me: Me | null): { title: string; path: string; screens: Screen[] }[] {
  const titles = [...new Set(SCREENS.map((one) => one.menu).filter((title): title is string => title !== null))]
  return titles.flatMap((title) => {
    const own = SCREENS.filter((one) => one.menu === title && opens(me, one))
    return own[0] ? [{ title, path: own[0].path, screens: own }] : []
  })
}

/** The place to which an address belongs: the one with the longest path that begins it. */
export function placeAt(me: Me | null, path: string): string | undefined {
  const found = placesOf(me)
    .flatMap((place) => place.screens.map((one) => ({ title: place.title, path: one.path })))
    .filter((one) => path === one.path || path.startsWith(`${one.path}/`))
  return found.sort((one, other) => other.path.length - one.path.length)[0]?.title
}
