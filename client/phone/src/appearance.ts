/** 关怀版 (large type, large targets): kept on this phone, shown as a class on the root of every page. */
import { ref, watch } from 'vue'

import { typeScale } from './platform/type-size'

const KEY = 'care'
const OFFERED = 'care-offered'
/** From this type size on 关怀版 is offered. */
const LARGE = 1.2

function kept(): boolean {
  try {
    return uni.getStorageSync(KEY) === 'on'
  } catch {
    return false
  }
}

export const care = ref(kept())

watch(care, show)
show(care.value)

/** Turns 关怀版 on or off, at once and for the next start too. */
export function setCare(on: boolean): void {
  care.value = on
  try {
    uni.setStorageSync(KEY, on ? 'on' : 'off')
  } catch {
    // A full storage costs only the memory of this choice.
  }
}

/** Whether the phone shows large type and 关怀版 was never offered here. */
export function careIsDue(): boolean {
  return !care.value && typeScale() >= LARGE && !uni.getStorageSync(OFFERED)
}

export function careWasOffered(): void {
  uni.setStorageSync(OFFERED, 'yes')
}

function show(_on: boolean): void {
  // #ifdef H5
  document.documentElement.classList.toggle('care', _on)
  // #endif
}
