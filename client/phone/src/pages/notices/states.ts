/** How the states of a notice (公告) are called. */
export const STATES = {
  draft: { label: '未发布', tag: 'mine' },
  published: { label: '已发布', tag: 'well' },
  withdrawn: { label: '已撤回', tag: 'other' },
} as const
