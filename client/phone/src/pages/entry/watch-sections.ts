/** Which section of the page is looked at, for its chip. */
import { getCurrentInstance, onUnmounted, ref } from 'vue'

export function watchSections() {
  const here = ref('')
  const component = getCurrentInstance()?.proxy
  let observer: UniApp.IntersectionObserver | null = null

  function stop() {
    observer?.disconnect()
    observer = null
  }

  /** Watches the sections that are on the page now. */
  function start() {
    stop()
    // A thin line below the head: the section that crosses it is the one that is read.
    observer = uni.createIntersectionObserver(component as never, { observeAll: true } as never)
    observer.relativeToViewport({ top: -160, bottom: -400 }).observe('.entry-section', (found) => {
      const { id, intersectionRatio } = found as unknown as { id?: string; intersectionRatio: number }
      if (intersectionRatio > 0 && id) here.value = id.replace('section-', '')
    })
  }

  onUnmounted(stop)
  return { here, start }
}
