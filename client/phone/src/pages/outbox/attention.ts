/** What is said of a waiting record that needs the person (需要你处理), and the buttons that stand there. */
import { answerAt, type Entry, type Remedy, remedies } from '@gongpin/core'

export type Way = Remedy | 'look' | 'look_at_duplicate'

/** What a duplicate is told by, read from the server where there is a network. */
export interface Known {
  who: string
  /** `09:12` of today, or with the date. */
  when: string
  kind: string
}

const WORDS: Record<Way, string> = {
  confirm_duplicate: '仍然提交',
  confirm_name: '仍按填写的提交',
  edit: '去修改',
  compare: '比较并选择',
  save_as_new: '另存为新的记录',
  discard: '删除本机这条',
  retry: '再试一次',
  look: '查看记录',
  look_at_duplicate: '查看已有记录',
}

export function wordOf(way: Way): string {
  return WORDS[way]
}

/** The sentence: what is wrong and what to do. `known`: the check that this one may repeat. */
export function sentenceFor(entry: Pick<Entry, 'problem' | 'type'>, known?: Known): string {
  const { problem, type } = entry
  if (problem === null) return ''
  switch (problem.code) {
    case 'duplicate_check':
      if (!known) return '这家企业同一天已有一条同类检查。请先查看；确需再报，请点“仍然提交”。'
      return `这家企业同一天已有一条${known.kind}（${known.who}，${known.when}）。请先查看；确需再报，请点“仍然提交”。`
    case 'name_differs':
      return (
        `信用代码登记的企业是“${registeredName(entry) ?? '另一家企业'}”，与填写的名称不同。` +
        '请核对；确实无误，请点“仍按填写的提交”，此记录不会向该企业公布。'
      )
    case 'stale_version':
      return type === 'submission'
        ? '这份表格在另一部手机上也改过。请比较后选择保留哪一边。'
        : '记录已有变化，这次更新没有写入。请查看记录，再更新处置。'
    case 'already_submitted':
      return '这条记录已从另一部手机提交，内容与本机不同。请查看记录；需要改动的，在记录里更正。'
    case 'wrong_status':
      return `${problem.title}。请查看记录。`.replace('。。', '。')
  }
  if (problem.errors.length > 1) return `还有 ${problem.errors.length} 处需要处理：${problem.errors[0]!.message}等。`
  return problem.errors[0]?.message ?? problem.title
}

/** The name in the register, of the first that differs. */
function registeredName({ problem }: Pick<Entry, 'problem'>): string | undefined {
  const registered = problem?.body['registered']
  const first = Array.isArray(registered) ? registered[0] : undefined
  const name = typeof first === 'object' && first !== null && !Array.isArray(first) ? first['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** The ids of the checks that this one may repeat. */
export function duplicatesIn({ problem }: Pick<Entry, 'problem'>): string[] {
  const listed = problem?.body['duplicates']
  return Array.isArray(listed) ? listed.filter((id): id is string => typeof id === 'string') : []
}

/** The buttons: at most two beside each other, the others in 更多; deleting is never among the first. */
export function waysOf(entry: Pick<Entry, 'problem' | 'type' | 'draft'>): { first: Way[]; more: Way[] } {
  const offered: Way[] = remedies(entry)
  const code = entry.problem?.code
  const looks: Way[] =
    code === 'duplicate_check' && duplicatesIn(entry).length > 0
      ? ['look_at_duplicate']
      : ['already_submitted', 'wrong_status', 'handed_over'].includes(code ?? '') || (code === 'stale_version' && entry.type !== 'submission')
        ? ['look']
        : []
  // Looking comes first, and what says yes to a question stands at the right, as in a dialog.
  const ways = [...looks, ...offered]
  const front: Way[] = ways.filter((way) => way !== 'discard').slice(0, 2)
  if (front.length === 2 && front[0]?.startsWith('confirm')) front.reverse()
  return { first: front, more: ways.filter((way) => !front.includes(way)) }
}

/** The file that the refusal is about (413, 415, lost bytes), where it names one. */
export function fileAt({ problem, call, files }: Pick<Entry, 'problem' | 'call' | 'files'>): string | undefined {
  return problem?.errors
    .map((fault) => answerAt(call.body, fault.path))
    .find((value): value is string => typeof value === 'string' && files.includes(value))
}
