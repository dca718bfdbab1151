/** Focus for keyboard and screen reader. A mini-program cannot move it by program: there only scrolling is left. */

type Target = { $el?: unknown } | null | undefined

/** Moves the focus to a component or element and, unless told otherwise, scrolls it into sight. */
export function focusOn(target: Target, { scroll = true } = {}): void {
  // #ifdef H5
  const element = (target && '$el' in target ? target.$el : target) as HTMLElement | null | undefined
  element?.focus?.({ preventScroll: !scroll })
  // #endif
  // #ifndef H5
  void [target, scroll]
  // #endif
}

/** Scrolls the element with this id to just below the sticky head. */
export function scrollToId(id: string): void {
  // #ifdef H5
  const element = document.getElementById(id)
  element?.scrollIntoView({ block: 'center' })
  const target = element?.querySelector<HTMLElement>('input, textarea, [tabindex="0"]') ?? element
  target?.focus({ preventScroll: true })
  // #endif
  // #ifndef H5
  uni.pageScrollTo({ selector: `#${id}`, offsetTop: -80, duration: 0 })
  // #endif
}

/** Keeps Tab inside a dialog, closes it on Esc, and gives the focus back at the end; returns what ends it. */
export function trapFocus(target: Target, close: () => void): () => void {
  // #ifdef H5
  const box = (target && '$el' in target ? target.$el : target) as HTMLElement | null | undefined
  if (!box) return () => undefined
  const before = document.activeElement as HTMLElement | null
  const inside = () =>
    [...box.querySelectorAll<HTMLElement>('[tabindex="0"], input, textarea, select, a[href]')].filter(
      (one) => one.offsetParent !== null,
    )
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation()
      close()
    }
    if (event.key !== 'Tab') return
    const all = inside()
    const [first, last] = [all[0], all[all.length - 1]]
    if (!first || !last) return event.preventDefault()
    const here = document.activeElement
    if (event.shiftKey ? here === first || !box.contains(here) : here === last || !box.contains(here)) {
      event.preventDefault()
      ;(event.shiftKey ? last : first).focus()
    }
  }
  document.addEventListener('keydown', key, true)
  box.focus({ preventScroll: true })
  return () => {
    document.removeEventListener('keydown', key, true)
    if (before?.isConnected) before.focus({ preventScroll: true })
  }
  // #endif
  // #ifndef H5
  void [target, close]
  return () => undefined
  // #endif
}

/** Moves the focus to the element with this id, without scrolling more than needed. */
export function focusId(id: string): void {
  // #ifdef H5
  document.getElementById(id)?.focus()
  // #endif
  // #ifndef H5
  void id
  // #endif
}
