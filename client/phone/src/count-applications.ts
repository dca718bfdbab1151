/** How many applications for accounts wait for the person (用户审核), for the bottom bar: counted on home and in their list. */
import { Problem, Unreachable } from '@gongpin/core'

import { applications } from './counts'
import { online } from './platform/network'
import { services } from './services'
import { may, session } from './session'

/** Asks for the to-dos alone: reading an application is noted in the log of who read whose data (查阅日志). */
export async function countApplications(): Promise<void> {
  if (session.token === null || !may('accounts.decide')) return void (applications.value = 0)
  if (!online.value) return
  try {
    const { api } = await services()
    const query = { kind: 'account_application_pending', page_size: 1 }
    applications.value = (await api.get('/api/v1/todos', { query })).body.total
  } catch (error) {
    // The figure of before stands until the server can be asked again.
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error
  }
}
