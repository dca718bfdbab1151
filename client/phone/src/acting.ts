/** Steps that count only once the server has said so (审核, 更正, 作废, 提交): never shown as done before its answer. */
import { Problem, Unreachable } from '@gongpin/core'
import { onUnmounted, ref, type Ref, shallowRef, type ShallowRef } from 'vue'

import { sentenceOf } from './words'

/** Said while an answer is asked for again. */
export const ASKING_AGAIN = '还没有收到回执，正在重新确认…'

const WAITS = [1_000, 3_000, 8_000, 15_000, 30_000]

/**
 * The answer of a call that may be repeated without harm (same body, same user): where none came it is asked for again
 * after each of `waits` (milliseconds; longer where the server says so) until `left`. Raises what the server refused, or
 * `Unreachable` in the end; without a network at once.
 */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  waiting: () => void = () => undefined,
  waits: readonly number[] = WAITS,
  left: () => boolean = () => false,
): Promise<T> {
  for (const wait of [...waits, null]) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Unreachable) || error.reason === 'offline' || wait === null || left()) throw error
      waiting()
      const asked = (error.retryAfter ?? 0) * 1000
      await new Promise((resolve) => setTimeout(resolve, Math.max(wait, asked)))
    }
  }
  throw new Unreachable('timeout')
}

export interface Acting {
  /** What the button says instead while the answer is awaited. */
  busy: Ref<string | false>
  /** Why it was refused. */
  fault: Ref<string | null>
  /** The refusal itself, where the server answered. */
  problem: ShallowRef<Problem | null>
  /** Runs one step at a time; undefined where it was refused (`fault`) or one is under way. */
  run: <T>(call: () => Promise<T>, words?: string) => Promise<T | undefined>
}

/** One step at a time, with the words for its button and its refusal. `refused` may say more on a refusal. */
export function useActing(refused: (error: unknown) => Promise<string | null> = async () => null): Acting {
  const busy = ref<string | false>(false)
  const fault = ref<string | null>(null)
  const problem = shallowRef<Problem | null>(null)
  let left = false
  onUnmounted(() => (left = true))

  async function run<T>(call: () => Promise<T>, words = '正在提交…'): Promise<T | undefined> {
    if (busy.value) return undefined
    busy.value = words
    fault.value = null
    problem.value = null
    try {
      return await untilAnswered(call, () => (busy.value = ASKING_AGAIN), WAITS, () => left)
    } catch (error) {
      if (error instanceof Problem) problem.value = error
      fault.value = (await refused(error)) ?? refusalOf(error)
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { busy, fault, problem, run }
}

/** The sentence on a step that was not done: of a refusal its first fault, which says more than its title. */
function refusalOf(error: unknown): string {
  if (error instanceof Unreachable && error.reason !== 'offline') return '还没有收到回执。请稍后再点一次，不会重复提交。'
  return (error instanceof Problem ? error.errors[0]?.message : undefined) ?? sentenceOf(error)
}
