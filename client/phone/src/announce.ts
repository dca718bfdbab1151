/** One polite live region a page: 记为问题, 新增 2 项, 还有 3 处. What is said twice in a row is said twice. */
import { ref } from 'vue'

export const announced = ref('')

/** Long enough to be read out; afterwards nobody who walks through the page shall come upon an old sentence. */
const STAYS = 20_000

let next: ReturnType<typeof setTimeout> | undefined

/** Has a screen reader say this sentence when it is done with its present one. */
export function announce(sentence: string): void {
  silence()
  next = setTimeout(() => {
    announced.value = sentence
    next = setTimeout(silence, STAYS)
  }, 50)
}

function silence(): void {
  clearTimeout(next)
  announced.value = ''
}
