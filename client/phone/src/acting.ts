/** Steps that count only once the server has said so: approvals, decisions, sending. */
import { Unreachable } from '@gongpin/core'
import { ref, type Ref } from 'vue'

import { sentenceOf } from './words'

/** Said while an answer is asked for again. */
export const ASKING_AGAIN = '还没有收到回执，正在重新确认…'

const WAITS = [1_000, 3_000, 8_000]

/**
 * The answer of a call that may be repeated without harm (same body, same user): where none came it is asked for again,
 * up to three times. Raises what the server refused, or `Unreachable` in the end; without a network at once.
 */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  waiting: () => void = () => undefined,
  waits: readonly number[] = WAITS,
): Promise<T> {
  for (const wait of [...waits, null]) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Unreachable) || error.reason === 'offline' || wait === null) throw error
      waiting()
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
  throw new Unreachable('timeout')
}

export interface Acting {
  /** What the button says instead while the answer is awaited. */
  busy: Ref<string | false>
  /** Why it was refused. */
  fault: Ref<string | null>
  /** Runs one step at a time; undefined where it was refused (`fault`) or one is under way. */
  run: <T>(call: () => Promise<T>, words?: string) => Promise<T | undefined>
}

/** One step at a time, with the words for its button and its refusal. `refused` may say more on a refusal. */
export function useActing(refused: (error: unknown) => Promise<string | null> = async () => null): Acting {
  const busy = ref<string | false>(false)
  const fault = ref<string | null>(null)

  async function run<T>(call: () => Promise<T>, words = '正在提交…'): Promise<T | undefined> {
    if (busy.value) return undefined
    busy.value = words
    fault.value = null
    try {
      return await untilAnswered(call, () => (busy.value = ASKING_AGAIN))
    } catch (error) {
      fault.value =
        error instanceof Unreachable && error.reason !== 'offline'
          ? '还没有收到回执。请稍后再点一次，不会重复提交。'
          : ((await refused(error)) ?? sentenceOf(error))
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { busy, fault, run }
}
