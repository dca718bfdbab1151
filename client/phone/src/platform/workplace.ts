/** Drafts and outbox are most of the core. H5 fetches them only once somebody is signed in; a mini-program has all files. */
import type { Api, Platform, Session, Workplace } from '@gongpin/core'
// #ifdef MP-WEIXIN
import { Workplace as Here } from '@gongpin/core'
// #endif

/** Rejects where the part of the app could not be fetched; a later call may succeed. */
export async function openWorkplace(platform: Platform, api: Api, session: Session): Promise<Workplace> {
  // #ifdef H5
  const { Workplace: Fetched } = await import('./workplace-part')
  return Fetched.open(platform, api, session)
  // #endif
  // #ifdef MP-WEIXIN
  return Here.open(platform, api, session)
  // #endif
}
