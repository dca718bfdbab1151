/** The type size that a person set on the phone or in WeChat, against the usual one: 1 is usual, 1.2 a fifth larger. */
export function typeScale(): number {
  // #ifdef H5
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
  // #endif
  // #ifdef MP-WEIXIN
  const info = wx.getAppBaseInfo() as { fontSizeScaleFactor?: number; fontSizeSetting?: number }
  return info.fontSizeScaleFactor ?? (info.fontSizeSetting ?? 16) / 16
  // #endif
}
