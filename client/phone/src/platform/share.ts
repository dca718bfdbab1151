/** Sharing a page with a colleague: WeChat has a card for it, a browser copies the link. Both open only by right. */

/** The card is asked for by a button of WeChat's own (`open-type="share"`). */
export const sharesByCard = ((): boolean => {
  // #ifdef MP-WEIXIN
  return true
  // #endif
  // #ifndef MP-WEIXIN
  return false
  // #endif
})()

/** Copies the address of a page (`/pages/…?…`); false where the browser does not let us. */
export function copyLink(page: string): Promise<boolean> {
  let link = page
  // #ifdef H5
  link = `${location.origin}${location.pathname}#${page}`
  // #endif
  return new Promise((resolve) =>
    uni.setClipboardData({ data: link, showToast: false, success: () => resolve(true), fail: () => resolve(false) }),
  )
}
