/** Words of accounts. */
export const STATUSES = [
  { value: 'active', label: '正常' }, { value: 'disabled', label: '停用' }, { value: 'pending', label: '待审核' }, { value: 'rejected', label: '未通过' },
]
export const TONES: Record<string, string> = { active: 'well', disabled: 'void', pending: 'mine', rejected: 'void' }
export const DECISIONS = [
  { value: 'pending', label: '待审核' }, { value: 'approved', label: '审核通过' }, { value: 'rejected', label: '审核不通过' },
]
export const RESETS: Record<string, string> = { password: '重置密码', second_factor: '取消动态口令' }
export const ROLES: Record<string, string> = {
  inspector: '检查人员', inspection_approver: '检查审核', account_approver: '账号审核', dictionary_keeper: '词典维护', rating_officer: '评价专员',
  rating_handler: '差评承办人', rating_supervisor: '好差评管理员', licence_reviewer: '许可审查', enterprise: '企业', sys_admin: '系统管理员',
}
