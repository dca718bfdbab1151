/** Which section of the page is looked at, for its chip. */
import { onPageScroll } from '@dcloudio/uni-app'
import { getCurrentInstance, onUnmounted, ref } from 'vue'

/** A section that begins above this line (px from the top of the window) is the one that is read. */
const LINE = 200
const EVERY = 120

export function watchSections() {
  const here = ref('')
  const component = getCurrentInstance()?.proxy
  let timer: ReturnType<typeof setTimeout> | undefined

  function look() {
    timer = undefined
    const query = uni.createSelectorQuery().in(component)
    query.selectAll('.entry-section').boundingClientRect((found) => {
      const sections = found as unknown as { id: string; top: number }[]
      const reached = sections.filter(({ top }) => top < LINE)
      const section = reached[reached.length - 1] ?? sections[0]
      if (section) here.value = section.id.replace('section-', '')
    })
    query.exec()
  }

  onPageScroll(() => {
    timer ??= setTimeout(look, EVERY)
  })
  onUnmounted(() => clearTimeout(timer))
  return { here, look }
}
