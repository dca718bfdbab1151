/** Signing in by password or WeChat: what is asked of the person, and what the server's refusals ask next. */
import { type AnswerOf, type Json, Problem } from '@gongpin/core'
import { computed, nextTick, onUnmounted, reactive, ref } from 'vue'

import { announce } from './announce'
import { captchaHint } from './captcha'
import { scrollToId } from './platform/focus'
import { loginCode, rememberBinding } from './platform/wechat'
import { services } from './services'
import { begin, lastNames, type Me, session, type SignedIn } from './session'
import { sentenceOf } from './words'

type Captcha = AnswerOf<'/api/v1/captchas', 'post'>

/** The state of one sign-in form. `again`: the person whose session expired, with whom alone the page can go on. */
export function useSignIn(again?: Pick<Me, 'username' | 'operator_name'>) {
  const names = lastNames()
  const form = reactive({
    username: again?.username ?? names.username,
    password: '',
    operatorName: again ? (again.operator_name ?? '') : names.operatorName,
    captcha: '',
    otp: '',
  })
  const faults = reactive<Partial<Record<keyof typeof form, string>>>({})
  /** A refusal that belongs to no field. */
  const refusal = ref('')
  const busy = ref<string | false>(false)
  const captcha = ref<Captcha | null>(null)
  /** The second factor is asked on a page of its own, for the password or for WeChat. */
  const asksOtp = ref<'password' | 'wechat' | null>(null)
  const seconds = ref(0)
  let ticking: ReturnType<typeof setInterval> | undefined
  onUnmounted(() => clearInterval(ticking))

  const waiting = computed(() => (seconds.value > 0 ? `请在 ${seconds.value} 秒后再试` : false))

  function complete(): boolean {
    clear()
    if (!form.username.trim()) faults.username = '请输入用户名'
    if (!form.password) faults.password = '请输入密码'
    if (captcha.value && !form.captcha.trim()) faults.captcha = '请输入验证码'
    if (asksOtp.value && !form.otp.trim()) faults.otp = '请输入动态口令'
    return Object.keys(faults).length === 0
  }

  function clear() {
    refusal.value = ''
    for (const name of Object.keys(faults) as (keyof typeof form)[]) delete faults[name]
  }

  /** Whether somebody is signed in now; otherwise faults, `refusal`, `captcha` or `asksOtp` say what is missing. */
  async function byPassword(): Promise<boolean> {
    if (waiting.value || busy.value || !complete()) return false
    const operator = form.operatorName.trim()
    return attempt('password', '/api/v1/sessions', {
      username: form.username.trim(),
      password: form.password,
      ...(operator ? { operator_name: operator } : {}),
      ...(captcha.value ? { captcha_id: captcha.value.id, captcha: form.captcha.trim() } : {}),
    })
  }

  async function byWeChat(): Promise<boolean> {
    if (busy.value) return false
    clear()
    busy.value = '正在登录…'
    const code = await loginCode()
    busy.value = false
    if (!code) {
      refusal.value = '没有拿到微信登录凭证。请检查网络后再试，或用用户名登录。'
      return false
    }
    return attempt('wechat', '/api/v1/sessions/wechat', { code })
  }

  async function attempt(way: 'password' | 'wechat', path: string, body: Record<string, Json>): Promise<boolean> {
    busy.value = '正在登录…'
    try {
      const { api } = await services()
      const sent = asksOtp.value === way ? { ...body, otp: form.otp.trim() } : body
      // By the token of an earlier session the server knows the phone again, and asks for a captcha less often.
      const answer = await api.send('POST', path, { body: sent, token: session.token ?? (names.token || undefined) })
      begin(answer.body as unknown as SignedIn)
      if (way === 'wechat') rememberBinding(true)
      return true
    } catch (error) {
      refusal.value = sentenceOf(error)
      if (error instanceof Problem) await refused(error, way)
      return false
    } finally {
      busy.value = false
    }
  }

  async function refused(problem: Problem, way: 'password' | 'wechat') {
    if (problem.code === 'otp_required') {
      // The first time it is a question; from then on the refusal is about what was answered.
      if (!asksOtp.value) refusal.value = ''
      asksOtp.value = way
      form.otp = ''
      return
    }
    if (problem.status === 429) wait(problem.retryAfter ?? 60)
    if (problem.code === 'wechat_not_bound') rememberBinding(false)
    const asked = problem.code === 'captcha_required'
    if (asked && !captcha.value) refusal.value = ''
    // A captcha is good for one try.
    const first = asked && !captcha.value
    if (asked || captcha.value) await changeCaptcha()
    if (first && captcha.value) {
      announce(captchaHint(captcha.value))
      await nextTick()
      scrollToId('captcha')
    }
    const fields: Record<string, keyof typeof form> = { '/operator_name': 'operatorName' }
    for (const fault of problem.errors) {
      const name = fields[fault.path] ?? (fault.path.slice(1) as keyof typeof form)
      if (name in form) faults[name] = fault.message
    }
    if (Object.keys(faults).length > 0) refusal.value = ''
  }

  async function changeCaptcha(kind: 'picture' | 'question' = 'picture'): Promise<void> {
    form.captcha = ''
    try {
      const { api } = await services()
      captcha.value = (await api.post('/api/v1/captchas', { body: { kind } })).body
    } catch (error) {
      refusal.value = sentenceOf(error)
    }
  }

  function wait(howLong: number) {
    clearInterval(ticking)
    seconds.value = howLong
    ticking = setInterval(() => {
      seconds.value -= 1
      if (seconds.value <= 0) clearInterval(ticking)
    }, 1000)
  }

  return { form, faults, refusal, busy, waiting, captcha, asksOtp, byPassword, byWeChat, changeCaptcha }
}
