/** Figures that stand on the bottom bar and on home; whoever changes what they count sets them. */
import { reactive, ref } from 'vue'

/** Drafts of the person who is signed in (信息暂存): of this phone, and as far as it is known those that only the server has. */
export const drafts = ref(0)

/** Applications for accounts that wait for the person's decision (用户审核), as the server said last. */
export const applications = ref(0)

/** What is said to somebody who is about to leave; null where nothing waits. */
export function leavingWords(): string | null {
  return waiting.count ? `还有 ${waiting.count} 条待发送。离开后不会发送，下次打开时接着发。` : null
}

/** The outbox of the person who is signed in (待发送). Times are milliseconds since 1970. */
export const waiting = reactive<{
  count: number
  photos: number
  /** Of these, how many need the person (需要你处理). */
  needed: number
  oldest: number | null
  lastSent: number | null
}>({ count: 0, photos: 0, needed: 0, oldest: null, lastSent: null })
