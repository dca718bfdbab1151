import { Problem, Unreachable, type Api } from '@gongpin/core'
import { describe, expect, it, vi } from 'vitest'

import { untilAnswered } from '../src/acting'
import { decide, decisionOf, type Application } from '../src/pages/accounts/decisions'

const PENDING: Application = {
  id: '0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10', status: 'pending', version: 1, applicant_name: '张三', unit_name: '某某所',
  region: { code: '320402', name: '天宁区' }, mobile: '138****0001', username: 'zhangsan', reason: null, opinion: null,
  created_at: '2026-11-28T02:00:00Z', decided_at: null, decided_by: null,
}
const REJECTED: Application = {
  ...PENDING, status: 'rejected', opinion: '单位名称与辖区不符', decided_at: '2026-11-29T02:32:00Z',
  decided_by: { username: 'wangqiang', name: '王强', office: '常州市局' },
}

describe('a decision on an account application', () => {
  it('that somebody else was faster with says who decided what, and when by the clock of China', async () => {
    const api = {
      post: vi.fn().mockRejectedValue(new Problem(409, 'wrong_status', '当前状态为“不通过”，不能执行该操作')),
      get: vi.fn().mockResolvedValue({ body: REJECTED }),
    } as unknown as Api
    const left = await decide(api, PENDING, { approve: true })
    expect(decisionOf(left)).toBe('王强（常州市局）已于 2026-11-29 10:32 审核不通过：单位名称与辖区不符。')
  })

  it('that is refused for another reason stays a refusal', async () => {
    const api = { post: vi.fn().mockRejectedValue(new Problem(403, 'forbidden', '不能审核本人提交的申请')) } as unknown as Api
    await expect(decide(api, PENDING, { approve: true })).rejects.toThrow('403 forbidden')
  })
})

describe('a step whose answer was lost', () => {
  it('is asked for again in the same words until it is answered', async () => {
    const call = vi.fn().mockRejectedValueOnce(new Unreachable('timeout')).mockRejectedValueOnce(new Unreachable('server', 503)).mockResolvedValue('done')
    const waiting = vi.fn()
    expect(await untilAnswered(call, waiting, [0, 0, 0])).toBe('done')
    expect([call.mock.calls.length, waiting.mock.calls.length]).toEqual([3, 2])
  })

  it('is not asked for again when the server refused it or there is no network', async () => {
    for (const error of [new Problem(422, 'invalid', '请填写意见'), new Unreachable('offline')]) {
      const call = vi.fn().mockRejectedValue(error)
      await expect(untilAnswered(call, undefined, [0])).rejects.toBe(error)
      expect(call).toHaveBeenCalledTimes(1)
    }
  })

  it('is not asked for again once its page was left', async () => {
    const call = vi.fn().mockRejectedValue(new Unreachable('timeout'))
    await expect(untilAnswered(call, undefined, [0, 0], () => true)).rejects.toThrow()
    expect(call).toHaveBeenCalledTimes(1)
  })
})
