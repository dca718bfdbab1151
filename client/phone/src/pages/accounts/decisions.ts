/** What is said of account applications (账号申请) and users. */
import { Problem, type AnswerOf, type Api } from '@gongpin/core'

import { localTime } from '@gongpin/core/speech'

export type Application = AnswerOf<'/api/v1/account-applications', 'get'>['items'][number]
export type User = AnswerOf<'/api/v1/users', 'get'>['items'][number]

/** Who decided what and when: 王强（常州市局）已于 2026-11-29 10:32 审核通过。 */
export function decisionOf(application: Application): string {
  const { decided_by: by, decided_at: at, opinion } = application
  const who = by ? `${by.name ?? by.username}（${by.office}）` : '其他审核人'
  const what = application.status === 'approved' ? '审核通过' : '审核不通过'
  return `${who}已于 ${at ? localTime(at) : '刚才'} ${what}${opinion ? `：${opinion}` : ''}。`
}

/** Decides; where somebody else was first (409), the application as they left it. Raises other refusals. */
export async function decide(
  api: Api,
  application: Application,
  decision: { approve: true } | { approve: false; opinion: string },
): Promise<Application> {
  const path = { application_id: application.id } as never
  try {
    const answer = decision.approve
      ? await api.post('/api/v1/account-applications/{application_id}/approve', { path, body: { opinion: null } })
      : await api.post('/api/v1/account-applications/{application_id}/reject', { path, body: { opinion: decision.opinion } })
    return answer.body
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'wrong_status') throw error
    return (await api.get('/api/v1/account-applications/{application_id}', { path })).body
  }
}

export const USER_STATUS: Record<User['status'], { words: string; kind: 'well' | 'other' | 'mine' | 'bad' }> = {
  active: { words: '在用', kind: 'well' },
  pending: { words: '待审核', kind: 'mine' },
  rejected: { words: '未通过', kind: 'bad' },
  disabled: { words: '已停用', kind: 'other' },
}

/** What is reset, as a verb and its object. */
export const RESET_WORDS = { password: '重置密码', second_factor: '取消动态口令' } as const

/** Who proposed a reset: 常州市局 · 王强 · changzhou. */
export function nameOf(by: NonNullable<User['reset_proposal']>['by']): string {
  return [by.office, by.operator_name, by.username].filter(Boolean).join(' · ')
}
