/** The Chinese sentences of faults, word for word those of the server (`core/forms/items/`, `validation/messages.py`). */
import type { Fault } from '../definition'
import type { Item } from '../form'

export const UNKNOWN_ITEM = '填报内容中有本表单没有的项，请删除该项，或更新小程序后重试'
export const NOT_AN_OBJECT = '填报内容的格式不正确，请更新小程序后重试'
export const ALL_NOT_APPLICABLE = '检查发现了问题，但各处置项均填“不适用”，请确认无需处置'

type Sentence = (item: Item) => string

const SENTENCES: Readonly<Record<string, Sentence>> = {
  required: (item) =>
    item.definition.type === 'signature' ? `请完成“${item.text}”` : `请${item.rules.verb}“${item.text}”`,
  wrong_type: (item) => `“${item.text}”的内容类型不正确，请重新${item.rules.verb}`,
  bad_format: (item) => `“${item.text}”的格式不正确，请核对后重新填写`,
  unknown_option: (item) => `“${item.text}”的选项不存在，请重新选择`,
  too_long: (item) => `“${item.text}”不能超过${item.rules.longest}个字，请缩短后重试`,
  too_many: (item) => `“${item.text}”最多${item.maxItems}${item.rules.counter}，请删减后重试`,
  too_few: (item) => `“${item.text}”至少需要${item.minItems}${item.rules.counter}，请补充`,
  duplicate: (item) => `“${item.text}”中有重复的内容，请删除重复项`,
  meaningless: (item) => `“${item.text}”只有标点或符号，请用文字写明`,
  bad_number: (item) => `“${item.text}”须为数字，请重新填写`,
  too_precise: (item) => `“${item.text}”最多保留${numberKey(item, 'scale') ?? 0}位小数，请重新填写`,
  out_of_range: (item) => `“${item.text}”的整数部分不能超过15位，请核对`,
  too_small: (item) => `“${item.text}”不能小于${numberKey(item, 'minimum') ?? ''}，请核对`,
  too_large: (item) => `“${item.text}”不能大于${numberKey(item, 'maximum') ?? ''}，请核对`,
  bad_date: (item) => `“${item.text}”不是有效的日期，请按“2026-11-20”的形式填写`,
  overdue: (item) => `“${item.text}”的补交期限已过，请上传`,
  future_date: (item) => `“${item.text}”不能晚于今天，请核对`,
  bad_mobile: (item) => `“${item.text}”不是有效的手机号码，请核对`,
  bad_tel: (item) => `“${item.text}”不是有效的手机或固定电话号码，请核对`,
  bad_resident_id: (item) => `“${item.text}”不是有效的公民身份号码，请核对`,
  bad_email: (item) => `“${item.text}”不是有效的电子邮箱地址，请核对`,
  bad_region: (item) => `“${item.text}”须为6位行政区划代码，请重新选择`,
  bad_file: (item) => `“${item.text}”中有无效的文件，请重新上传`,
  disposal_without_problem: (item) => `未发现问题，“${item.text}”不能填“是”或“办理中”，请改为“不适用”或核对检查结果`,
}

function numberKey(item: Item, key: 'scale' | 'minimum' | 'maximum'): string | number | undefined {
  return item.definition.type === 'number' ? item.definition[key] : undefined
}

/** A fault of one item at a pointer; `sentence` takes the place of the standard one. */
export function answerFault(item: Item, code: string, path: string, sentence?: string): Fault {
  return { path, code, message: sentence ?? SENTENCES[code]?.(item) ?? '' }
}
