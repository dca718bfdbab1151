/** The machine under `client/core/`: a browser, or WeChat. */
import type { Clock, Platform } from '@gongpin/core'

import { network } from './network'
// #ifdef H5
import { openFiles as openBrowserFiles } from './h5/files'
import { openLocks } from './h5/locks'
import { openStore as openBrowserStore } from './h5/store'
import { openTransport as openBrowserTransport } from '@gongpin/core/browser'
// #endif
// #ifdef MP-WEIXIN
import { queueOfPromises } from './queue'
import { openFiles } from './wx/files'
import { openRandom } from './wx/random'
import { openStore } from './wx/store'
import { openTransport } from './wx/transport'
// #endif

const clock: Clock = {
  now: () => Date.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** Everything that the core asks for; made once, in `services.ts`. */
export async function createPlatform(): Promise<Platform> {
  // #ifdef H5
  const browserFiles = openBrowserFiles()
  // Asks that the browser does not clear what was typed when the phone runs short of room.
  void navigator.storage?.persist?.()
  return {
    transport: openBrowserTransport(browserFiles),
    store: openBrowserStore(),
    files: browserFiles,
    locks: openLocks(),
    network,
    clock,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  }
  // #endif
  // #ifdef MP-WEIXIN
  const files = openFiles()
  return {
    transport: openTransport(import.meta.env.VITE_SERVER ?? '', files),
    store: openStore(),
    files,
    locks: queueOfPromises(),
    network,
    clock,
    randomBytes: await openRandom(),
  }
  // #endif
}
