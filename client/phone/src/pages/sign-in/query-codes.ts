/** The query code of the last application that was sent from this phone. */
const KEY = 'application-code'

export function keepQueryCode(code: string): void {
  uni.setStorageSync(KEY, code)
}

export function lastQueryCode(): string {
  return String(uni.getStorageSync(KEY) || '')
}
