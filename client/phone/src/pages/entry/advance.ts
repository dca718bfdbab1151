/** Whether the next open item comes into sight by itself after an answer; kept on this phone. */
import { ref } from 'vue'

const KEY = 'advance'
/** Taps that come sooner after the page moved were meant for what stood there before. */
export const QUIET = 300

function kept(): boolean {
  try {
    return uni.getStorageSync(KEY) !== 'off'
  } catch {
    return true
  }
}

export const advance = ref(kept())

export function setAdvance(on: boolean): void {
  advance.value = on
  try {
    uni.setStorageSync(KEY, on ? 'on' : 'off')
  } catch {
    // Without room for it the choice lasts until the app is closed.
  }
}
