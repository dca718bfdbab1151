/** What WeChat does and the simulator does not. */

export interface Definition {
  lifetimes?: { attached?: (this: unknown) => void; ready?: (this: unknown) => void }
}

/** Nothing has a place in jsdom: each question is answered with null. */
export function noBoxes(): object {
  let count = 0
  const asked: object = new Proxy({}, {
    get: (_, name) => (done?: (found: unknown) => void) => {
      if (name === 'boundingClientRect' || name === 'scrollOffset' || name === 'fields') count += 1
      if (name === 'exec') queueMicrotask(() => done?.(Array<null>(count).fill(null)))
      return asked
    },
  })
  return asked
}

/** j-component tells only the components of the first view that they are `ready`; WeChat tells each, children first. */
export function withReady(register: (options: Definition) => void): (options: Definition) => void {
  const waiting: (() => void)[] = []
  return (options) => {
    const { attached, ready, ...lifetimes } = options.lifetimes ?? {}
    register({
      ...options,
      lifetimes: {
        ...lifetimes,
        attached() {
          attached?.call(this)
          waiting.push(() => ready?.call(this))
          if (waiting.length === 1) queueMicrotask(() => waiting.splice(0).reverse().forEach((tell) => tell()))
        },
      },
    })
  }
}
