/** Sign-in by WeChat: there is one only inside the mini-program. */

export const inWeChat = ((): boolean => {
  // #ifdef MP-WEIXIN
  return true
  // #endif
  // #ifndef MP-WEIXIN
  return false
  // #endif
})()

/** A code for one sign-in, good for five minutes; null where WeChat gave none. */
export function loginCode(): Promise<string | null> {
  return new Promise((resolve) =>
    uni.login({ provider: 'weixin', timeout: 10_000, success: ({ code }) => resolve(code), fail: () => resolve(null) }),
  )
}
