/** Choices of the lists of codes and ratings. */
import { SHAPES } from '@gongpin/core/speech'

export const KINDS = [{ value: 'per_visit', label: '一次一评' }, { value: 'per_matter', label: '一事一评' }]
export const CODE_STATUSES = [
  { value: 'not_generated', label: '未生成' }, { value: 'active', label: '有效' }, { value: 'used', label: '已评价' },
  { value: 'expired', label: '已过期' }, { value: 'disabled', label: '已停用' },
]
export const LEVELS = [
  { value: '5', label: '非常满意' }, { value: '4', label: '满意' }, { value: '3', label: '基本满意' },
  { value: '2', label: '不满意' }, { value: '1', label: '非常不满意' },
]
export const CHANNELS = [
  { value: 'qr_once', label: '扫码一次一评' }, { value: 'qr_matter', label: '扫码一事一评' }, { value: 'web_todo', label: '网上一事一评' },
]
export const STATUSES = [
  { value: 'to_verify', label: '待核实' }, { value: 'verified', label: '已核实' }, { value: 'rectifying', label: '整改中' },
  { value: 'explained', label: '已解释说明' }, { value: 'fed_back', label: '已反馈' }, { value: 'appealing', label: '申诉中' },
  { value: 'closed', label: '已办结' }, { value: 'voided', label: '已剔除' },
]
export const PUBLICITY = [
  { value: 'pending', label: '文字待审核' }, { value: 'shown', label: '公开' }, { value: 'withheld', label: '文字不公开' }, { value: 'hidden', label: '不公开' },
]
/** A level with its shape: colour never speaks alone. */
export const shapeOf = (level: number) => (level <= 2 ? SHAPES.red : level === 3 ? SHAPES.yellow : SHAPES.green)
export const toneOf = (level: number) => (level <= 2 ? 'red' : level === 3 ? 'yellow' : 'green')
