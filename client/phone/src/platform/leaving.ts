/**
 * Says before somebody leaves that records still wait, as far as the machine lets the app speak: a browser asks with its
 * own words on closing or reloading; WeChat asks on the way back out of the first page, and not where the program is
 * closed by its button or put aside (nothing may be shown then; home and 待发送 say it instead).
 */

// #ifdef H5
let waits = false
let listening = false

function ask(event: Event): void {
  if (waits) event.preventDefault()
}
// #endif

/** `message` null: nothing waits. */
export function sayBeforeLeaving(message: string | null): void {
  // #ifdef H5
  waits = message !== null
  if (waits && !listening) window.addEventListener('beforeunload', ask)
  if (!waits && listening) window.removeEventListener('beforeunload', ask)
  listening = waits
  // #endif
  // #ifdef MP-WEIXIN
  if (message !== null) wx.enableAlertBeforeUnload?.({ message })
  else wx.disableAlertBeforeUnload?.()
  // #endif
}
