/** The rules and words of the rating form (好差评), as on the page `/r/…`: what is said before anything is sent. */
import type { AnswerOf, Problem } from '@gongpin/core'

export type RatingForm = AnswerOf<'/api/v1/ratings/form/{token}', 'get'>
export type Outcome = AnswerOf<'/api/v1/ratings/answer/{query_code}', 'get'>

export interface Rating {
  level: RatingForm['levels'][number]['level'] | null
  tags: number[]
  comment: string
  anonymous: boolean
  rater_name: string
  mobile: string
  sms_code: string
  captcha: string
}

export type Place = 'level' | 'tags' | 'comment' | 'rater_name' | 'mobile' | 'sms_code' | 'captcha'
export type Faults = Partial<Record<Place, string>>

/** In the order of the form: faults are corrected from top to bottom. */
export const PLACES: Place[] = ['level', 'tags', 'comment', 'rater_name', 'mobile', 'captcha', 'sms_code']

/** The digits of a mobile number, whatever stands between them. */
export function mobileDigits(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\s\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2066-\u2069\u2212\ufeff().·-]/g, '')
    .replace(/^(\+|00)?86(?=1\d{10}$)/, '')
}

function length(text: string): number {
  return Array.from(text.trim()).length
}

/** All faults of what was chosen and typed. */
export function faultsOf(form: RatingForm, rating: Rating): Faults {
  const found: Faults = {}
  const level = form.levels.find((one) => one.level === rating.level)
  if (!level) found.level = '请选择评价等级'
  if (level?.bad && !rating.tags.length) found.tags = '请至少选择一项不满意的原因'
  const typed = length(rating.comment)
  if (level?.bad && typed < form.least_reason) found.comment = `请填写具体意见，不少于${form.least_reason}个字，以便核实整改`
  else if (typed > form.comment_limit) found.comment = `具体意见不能超过${form.comment_limit}个字`
  if (!rating.anonymous && !rating.rater_name.trim()) found.rater_name = '请填写姓名或单位名称'
  else if (!rating.anonymous && length(rating.rater_name) > form.name_limit) {
    found.rater_name = `姓名或单位名称不能超过${form.name_limit}个字，请缩短后重试`
  }
  if (!/^1[3-9]\d{9}$/.test(mobileDigits(rating.mobile))) found.mobile = '手机号不正确，请填写11位大陆手机号'
  if (form.sms_code_required && !rating.sms_code.trim()) found.sms_code = '请填写短信验证码'
  return found
}

/** What the server refused, by its place; a fault without one stands for the whole form. */
export function placed(problem: Problem): { faults: Faults; whole: string | null } {
  const faults: Faults = {}
  for (const { path, message } of problem.errors) {
    const [, place = ''] = path.split('/')
    if ((PLACES as string[]).includes(place)) faults[place as Place] ??= message
  }
  if (problem.code === 'captcha_required') faults.captcha ??= problem.title
  return { faults, whole: Object.keys(faults).length ? null : problem.title }
}

/** What to do where a code cannot be rated (any more), by the code of the refusal. */
export const ADVICE: Record<string, string> = {
  unknown_code: '请扫描窗口张贴的评价二维码。还是打不开的，请告诉窗口工作人员，或拨打下面的电话。',
  not_found: '请扫描窗口张贴的评价二维码。还是打不开的，请告诉窗口工作人员，或拨打下面的电话。',
  already_rated: '一个事项只能评价一次。评价时得到的查询码可以查看答复；不是您本人评价的，请拨打下面的电话。',
  code_disabled: '请扫描窗口现在使用的评价二维码，或拨打下面的电话反映。',
  code_expired: '请向窗口索取新的评价二维码，或拨打下面的电话反映。',
  rating_window: '手机号填错了的，请返回修改。急需反映的，请拨打下面的电话。',
}

/** 全国市场监管投诉举报热线. */
export const HOTLINE = '12315'

/** The token in what a scan gave: the address of the page `/r/TOKEN`, or the token itself. */
export function tokenOf(scanned: string): string {
  return /\/r\/([^/?#]+)/.exec(scanned)?.[1] ?? scanned
}
