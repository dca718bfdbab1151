/** What a person is told when a call did not succeed. */
import { Problem, Unreachable } from '@gongpin/core'

/** One sentence on an error of a call; our own faults are not hidden: they go on. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Problem) return error.title
  if (error instanceof Unreachable) {
    return error.reason === 'offline' ? '没有网络。请连上网络后再试。' : '服务器暂时没有回应。请稍后再试。'
  }
  throw error
}
