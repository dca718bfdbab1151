/**
 * A write whose outcome the person waits for (更正, 作废, 退回): it is never shown as done before the answer. Where no
 * answer comes the same call is repeated, since the server takes a repetition for what it is.
 */
import { Problem, Unreachable } from '@gongpin/core'
import { onUnmounted, ref, shallowRef } from 'vue'

const WAITS = [2_000, 4_000, 8_000, 15_000, 30_000]

export function useWrite() {
  /** What the button says meanwhile. */
  const busy = ref<string | false>(false)
  /** No answer has come yet: 还没有收到回执，正在重新确认。 */
  const inDoubt = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let left = false
  onUnmounted(() => (left = true))

  /** The answer; undefined where the server refused (`problem` says why), or the page was left. */
  async function run<T>(call: () => Promise<T>, word = '正在提交…'): Promise<T | undefined> {
    if (busy.value) return undefined
    busy.value = word
    problem.value = null
    try {
      for (let tries = 0; !left; tries += 1) {
        try {
          return await call()
        } catch (error) {
          if (!(error instanceof Unreachable)) throw error
          inDoubt.value = true
          const wait = Math.max(WAITS[Math.min(tries, WAITS.length - 1)]!, (error.retryAfter ?? 0) * 1000)
          await new Promise((resolve) => setTimeout(resolve, wait))
        }
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem.value = error
    } finally {
      busy.value = false
      inDoubt.value = false
    }
    return undefined
  }

  return { busy, inDoubt, problem, run }
}
