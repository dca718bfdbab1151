/** Sign-in by WeChat: there is one only inside the mini-program. */

export const inWeChat = ((): boolean => {
  // #ifdef MP-WEIXIN
  return true
  // #endif
  // #ifndef MP-WEIXIN
  return false
  // #endif
})()

/** Kept on the phone once WeChat signed somebody in here: then 微信登录 stands first, and a session renews itself. */
const BOUND = 'wechat-bound'

export function boundHere(): boolean {
  return inWeChat && uni.getStorageSync(BOUND) === 'yes'
}

export function rememberBinding(bound: boolean): void {
  uni.setStorageSync(BOUND, bound ? 'yes' : '')
}

/** A code for one sign-in, good for five minutes; null where WeChat gave none. */
export function loginCode(): Promise<string | null> {
  return new Promise((resolve) =>
    uni.login({ provider: 'weixin', timeout: 10_000, success: ({ code }) => resolve(code), fail: () => resolve(null) }),
  )
}
