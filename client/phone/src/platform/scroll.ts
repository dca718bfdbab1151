/** Scrolling to a place of a page whose head and foot are sticky. */
import { touched } from './touch'

/** Scrolls the element into sight below the head; not at all where it is wholly visible already. Answers if it moved. */
export async function bringIntoSight(id: string, { always = false } = {}): Promise<boolean> {
  const [place, head, foot, view] = await measured(id)
  if (!place) return false
  const [top, bottom] = [head?.height ?? 0, view.height - (foot?.height ?? 0)]
  if (!always && place.top >= top && place.bottom <= bottom) return false
  const still = !touched.value || reduced()
  uni.pageScrollTo({ scrollTop: Math.max(0, view.scrollTop + place.top - top - 12), duration: still ? 0 : 200 })
  return true
}

/** A card at the top of a page that says what has just happened comes into sight, wherever the button was. */
export async function bringCardIntoSight(id: string): Promise<void> {
  // #ifdef H5
  await bringIntoSight(id)
  // #endif
  // #ifndef H5
  // What stands inside a component is not measured from the page.
  void id
  uni.pageScrollTo({ scrollTop: 0, duration: 0 })
  // #endif
}

interface Box {
  top: number
  bottom: number
  height: number
}
interface View {
  height: number
  scrollTop: number
}

async function measured(id: string): Promise<[Box | null, Box | null, Box | null, View]> {
  // #ifdef H5
  const box = (element: Element | null): Box | null => element?.getBoundingClientRect() ?? null
  const shown = (selector: string) => [...document.querySelectorAll(selector)].find((one) => (one as HTMLElement).offsetParent !== null) ?? null
  return [
    box(document.getElementById(id)), box(shown('.app-head')), box(shown('.app-foot')),
    { height: window.innerHeight, scrollTop: window.scrollY },
  ]
  // #endif
  // #ifndef H5
  return new Promise((resolve) => {
    const query = uni.createSelectorQuery()
    query.select(`#${id}`).boundingClientRect()
    query.select('.app-head').boundingClientRect()
    query.select('.app-foot').boundingClientRect()
    query.selectViewport().scrollOffset(() => undefined)
    query.exec((found: unknown[]) => {
      const { windowHeight } = uni.getWindowInfo()
      const scrollTop = (found[3] as { scrollTop?: number } | null)?.scrollTop ?? 0
      resolve([found[0] as Box | null, found[1] as Box | null, found[2] as Box | null, { height: windowHeight, scrollTop }])
    })
  })
  // #endif
}

function reduced(): boolean {
  // #ifdef H5
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches
  // #endif
  // #ifndef H5
  return false
  // #endif
}
