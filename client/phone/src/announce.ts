/** One polite live region a page: 记为问题, 新增 2 项, 还有 3 处. What is said twice in a row is said twice. */
import { ref } from 'vue'

export const announced = ref('')

/** Has a screen reader say this sentence when it is done with its present one. */
export function announce(sentence: string): void {
  announced.value = ''
  setTimeout(() => (announced.value = sentence), 50)
}
