/** Whether this phone says that it has a network. It may be wrong: only an answer of the server proves a connection. */
import type { Network } from '@gongpin/core'
import { ref } from 'vue'

/** For screens. */
export const online = ref(true)

const listeners = new Set<(online: boolean) => void>()

function tell(now: boolean) {
  online.value = now
  for (const listener of listeners) listener(now)
}

// #ifdef H5
online.value = navigator.onLine
for (const change of ['online', 'offline', 'pageshow']) {
  window.addEventListener(change, () => tell(navigator.onLine))
}
document.addEventListener('visibilitychange', () => !document.hidden && tell(navigator.onLine))
// #endif
// #ifndef H5
const ask = () => uni.getNetworkType({ success: ({ networkType }) => tell(networkType !== 'none') })
ask()
uni.onNetworkStatusChange(({ isConnected }) => tell(isConnected))
uni.onAppShow(ask)
// #endif

export const network: Network = {
  online: () => online.value,
  watch(listener) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}
