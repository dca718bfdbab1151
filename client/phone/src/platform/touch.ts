/** Whether the last thing a person did was a tap; with a keyboard or a screen reader the page must not move by itself. */
import { ref } from 'vue'

export const touched = ref(true)

// #ifdef H5
document.addEventListener('pointerdown', () => (touched.value = true), true)
document.addEventListener('keydown', () => (touched.value = false), true)
// Safari shows what is pressed (`:active`) only where touches are listened to.
document.addEventListener('touchstart', () => undefined, { passive: true })
// A screen reader clicks without a pointer.
document.addEventListener('click', (event) => event.isTrusted && event.detail === 0 && (touched.value = false), true)
// #endif
