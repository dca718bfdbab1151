import { describe, expect, it } from 'vitest'

import pages from '../src/pages.json?raw'
import { doneElsewhere, pageOfTodo } from '../src/todo-pages'

const ID = '0197f6c2-7d1e-7c3a-9d52-3f6b8f1f2a10'

describe('A to-do', () => {
  it.each(['inspections', 'spot-checks', 'correction-requests', 'account-applications', 'users', 'filings', 'enforcement-papers', 'rating-codes'])(
    'about %s leads to a page that there is', (kind) => {
      const [path = ''] = pageOfTodo(`/${kind}/${ID}`)!.slice(1).split('?')
      const [, , name] = path.split('/')
      expect(pages.includes(`"${path}"`) || pages.includes(`"path": "${name}"`)).toBe(true)
      expect(doneElsewhere(`/${kind}/${ID}`)).toBeNull()
    },
  )

  it('of an administrator is no link: its title names the command', () => {
    for (const link of ['/deliveries', '/todos', '/calendar?year=2027']) {
      expect(pageOfTodo(link)).toBeUndefined()
      expect(doneElsewhere(link)).toBeNull()
    }
  })

  it('that the phone has no page for says where it is done', () => {
    expect(pageOfTodo(`/ratings/${ID}`)).toBeUndefined()
    expect(doneElsewhere(`/ratings/${ID}`)).toBe('请在电脑上办理')
  })
})
