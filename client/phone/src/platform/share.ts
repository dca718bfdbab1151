/** Sharing a page with a colleague where there is no card of WeChat for it: the link, which opens only by right. */

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
