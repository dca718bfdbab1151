/** How a paper's status looks in lists and on its page. */
type Tag = 'mine' | 'other' | 'well' | 'returned' | 'bad'

/** Whoever has something to do with it sees `mine`; what is in force is `well`, what is void `bad`. */
export function tagOf({ status, actions }: { status: string; actions: readonly string[] }): Tag {
  if (status === 'voided') return 'bad'
  if (status === 'draft' || actions.includes('approve')) return 'mine'
  return status === 'issued' || status === 'served' ? 'well' : 'other'
}
