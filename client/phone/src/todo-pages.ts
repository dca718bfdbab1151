/** Where a to-do (待办) leads on the phone. */

/** Pages for what to-dos are about, by the first part of the server's link (`/inspections/ID`). */
const ABOUT: Record<string, (id: string) => string> = {
  inspections: (id) => `/pages/record/index?type=inspections&id=${id}`,
  'spot-checks': (id) => `/pages/record/index?type=spot-checks&id=${id}`,
  'correction-requests': (id) => `/pages/record/request?id=${id}`,
  'account-applications': () => '/pages/accounts/index',
  users: () => '/pages/accounts/index?part=users',
  'enforcement-papers': (id) => `/pages/papers/paper?id=${id}`,
  filings: (id) => `/pages/enterprise/filing?id=${id}`,
  registrations: () => '/pages/query/decide',
  'rating-codes': (id) => `/pages/rating/index?code_id=${id}`,
}
/** What administrators do on the server itself; the title says with which command. */
const ON_THE_SERVER = ['calendar', 'deliveries', 'todos']

/** The page of a to-do; undefined where the phone has none: it is no link then. */
export function pageOfTodo(link: string): string | undefined {
  const [, kind = '', id = ''] = link.split(/[/?]/)
  return ABOUT[kind]?.(id)
}

/** Where a to-do without a page is done; null where its title says so already. */
export function doneElsewhere(link: string): string | null {
  const [, kind = ''] = link.split(/[/?]/)
  return kind in ABOUT || ON_THE_SERVER.includes(kind) ? null : '请在电脑上办理'
}
