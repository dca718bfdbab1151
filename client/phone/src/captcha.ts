/** A captcha where the server asks for one: a picture, or a question for whoever cannot see it. Good for one try. */
import { type AnswerOf, Problem } from '@gongpin/core'
import { ref } from 'vue'

import { services } from './services'

export type Captcha = AnswerOf<'/api/v1/captchas', 'post'>

/** What to do with it, said where it appears: the page asks for one only once the server does. */
export function captchaHint(captcha: Captcha): string {
  return 'image' in captcha ? '请输入图中的字符，再继续' : '请用数字回答，再继续'
}

export function useCaptcha() {
  const captcha = ref<Captcha | null>(null)
  const typed = ref('')

  async function change(kind: 'picture' | 'question' = 'picture'): Promise<void> {
    typed.value = ''
    const { api } = await services()
    captcha.value = (await api.post('/api/v1/captchas', { body: { kind } })).body
  }

  /** What goes along with the call. */
  const answered = (): { captcha_id: string | null; captcha: string | null } =>
    captcha.value ? { captcha_id: captcha.value.id, captcha: typed.value.trim() } : { captcha_id: null, captcha: null }

  /** Whether a refusal only asks for a captcha that was not shown yet; another one is shown in any case. */
  async function askedBy(error: unknown): Promise<boolean> {
    const asked = error instanceof Problem && error.code === 'captcha_required'
    const first = asked && !captcha.value
    if (asked || captcha.value) await change()
    return first
  }

  return { captcha, typed, change, answered, askedBy }
}
