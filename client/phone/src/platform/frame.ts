/** What a person waits for is drawn first; the rest comes behind it. */

/** A hidden page draws no frames, and a slow phone may take this long (milliseconds) for one. */
const AT_THE_LATEST = 250

/** Does work behind the next frame: what an answer brings with it, while the answer itself is shown already. */
export function afterFrame(work: () => void): void {
  let isDone = false
  const once = () => {
    if (isDone) return
    isDone = true
    work()
  }
  // A mini-program knows no frames, and is killed without a warning: there nothing waits.
  if (typeof requestAnimationFrame !== 'function') return once()
  requestAnimationFrame(() => setTimeout(once))
  setTimeout(once, AT_THE_LATEST)
}

/** Resolves behind the next frame. */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => afterFrame(resolve))
}
