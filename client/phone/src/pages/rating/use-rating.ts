/** One rating from the open form to the query code. */
import { Api, newId, Problem, type AnswerOf } from '@gongpin/core'
import { computed, reactive, ref, shallowRef } from 'vue'

import { useActing } from '@/acting'
import { services } from '@/services'
import { faultsOf, placed, type Faults, type Rating, type RatingForm } from './rules'

type Captcha = AnswerOf<'/api/v1/captchas', 'post'>

export function useRating(source: () => { token?: string; codeId?: string }) {
  const form = shallowRef<RatingForm | null>(null)
  const token = ref('')
  /** Why this code cannot be rated. */
  const closed = shallowRef<Problem | null>(null)
  const rating = reactive<Rating>({
    level: null, tags: [], comment: '', anonymous: false, rater_name: '', mobile: '', sms_code: '', captcha: '',
  })
  const faults = ref<Faults>({})
  const captcha = shallowRef<Captcha | null>(null)
  const queryCode = ref<string | null>(null)
  const smsSent = ref(false)
  let submission = ''
  const sending = useActing(async (error) => {
    if (!(error instanceof Problem)) return null
    if (['already_rated', 'code_disabled', 'code_expired', 'unknown_code', 'rating_window'].includes(error.code)) {
      closed.value = error
    }
    const { faults: found, whole } = placed(error)
    faults.value = found
    if (error.code === 'captcha_required' || captcha.value) await newCaptcha('picture')
    return whole ?? '还不能提交，请修改标出的各处。'
  })
  const level = computed(() => form.value?.levels.find((one) => one.level === rating.level))

  /** Whoever rates by the code of a window does so as a citizen, also on the phone of somebody who is signed in. */
  async function api(): Promise<Api> {
    const { api, platform } = await services()
    return source().codeId ? api : new Api(platform, { token: () => undefined, refused: () => undefined })
  }

  /** Reads the form; raises what the call raises but for a code that cannot be rated. */
  async function read(): Promise<void> {
    const { codeId } = source()
    const { platform } = await services()
    submission ||= newId(platform)
    try {
      if (codeId) {
        const code = (await (await api()).get('/api/v1/rating-codes/{code_id}', { path: { code_id: codeId } as never })).body
        token.value = /\/r\/([^/?#]+)/.exec(code.url ?? '')?.[1] ?? ''
      } else token.value = source().token ?? ''
      form.value = (await (await api()).get('/api/v1/ratings/form/{token}', { path: { token: token.value } as never })).body
      closed.value = null
    } catch (error) {
      if (!(error instanceof Problem) || ![404, 409, 410].includes(error.status)) throw error
      closed.value = error
    }
  }

  async function newCaptcha(kind: 'picture' | 'question'): Promise<void> {
    rating.captcha = ''
    captcha.value = (await (await api()).post('/api/v1/captchas', { body: { kind } })).body
  }

  /** Everything at its place is said at once; true where there is nothing to say. */
  function check(): boolean {
    if (!form.value) return false
    faults.value = faultsOf(form.value, rating)
    return Object.keys(faults.value).length === 0
  }

  async function send(): Promise<boolean> {
    const caller = await api()
    const body = {
      level: rating.level, tags: rating.tags, comment: rating.comment.trim() || null, real_name: !rating.anonymous,
      rater_name: rating.anonymous ? null : rating.rater_name.trim(), mobile: rating.mobile,
      sms_code: rating.sms_code.trim() || null, captcha_id: captcha.value?.id ?? null,
      captcha: rating.captcha.trim() || null, submission_id: submission,
    }
    const path = { token: token.value } as never
    const done = await sending.run(async () => (await caller.post('/api/v1/ratings/form/{token}', { path, body })).body)
    if (!done) return false
    queryCode.value = done.query_code
    return true
  }

  async function sendSms(): Promise<void> {
    const caller = await api()
    const body = { mobile: rating.mobile, captcha_id: captcha.value?.id ?? null, captcha: rating.captcha || null }
    const done = await sending.run(async () => (await caller.post('/api/v1/ratings/sms-codes', { body })).body, '正在发送…')
    smsSent.value = !!done
  }

  return { form, closed, rating, level, faults, captcha, queryCode, smsSent, read, check, send, sendSms, newCaptcha, ...sending }
}
