/** Where one can go, by right; and the way back. */
import type { components } from '@gongpin/core'

import { may, session } from './session'

export type Verb = components['schemas']['Verb']

/** The manual's words, in two lines. */
export const TABS = {
  home: ['信息', '录入'],
  drafts: ['信息', '暂存'],
  records: ['信息', '查看'],
  statistics: ['工作', '统计'],
  accounts: ['用户', '审核'],
} as const

export type Tab = keyof typeof TABS

const NEEDED: Record<Tab, Verb | null> = {
  home: null,
  drafts: 'inspection.write',
  records: 'inspection.read',
  statistics: 'statistics.read',
  accounts: 'accounts.decide',
}

/** The parts of the bottom bar for somebody with these verbs. */
export function tabsFor(verbs: readonly string[]): Tab[] {
  return (Object.keys(TABS) as Tab[]).filter((tab) => NEEDED[tab] === null || verbs.includes(NEEDED[tab]))
}

/** One page back; from a page that was opened directly, home. */
export function goBack(): void {
  if (getCurrentPages().length > 1) uni.navigateBack()
  else goHome()
}

/** One page back; where this one was opened directly, the page that it belongs to. */
export function goBackTo(page: string): void {
  if (getCurrentPages().length > 1) uni.navigateBack()
  else uni.redirectTo({ url: page })
}

export function goHome(): void {
  uni.switchTab({ url: '/pages/home/index' })
}

/** The sign-in page instead of all others; afterwards the app goes on at `to` (`/pages/…?…`). */
export function goToSignIn(to?: string): void {
  uni.reLaunch({ url: '/pages/sign-in/index' + (to ? `?to=${encodeURIComponent(to)}` : '') })
}

/** The page that is shown, as it can be opened again. */
export function hereAndNow(): string | undefined {
  const page = getCurrentPages().slice(-1)[0] as { route?: string; $page?: { fullPath?: string } } | undefined
  return page?.$page?.fullPath ?? (page?.route && `/${page.route}`)
}

/** What a part of the bottom bar is opened for (`part=users`): `uni.switchTab` takes no query. */
let wanted: string | null = null

/** What the part of the bottom bar that is shown now was opened for; asked once. */
export function takeWanted(): string | null {
  const part = wanted
  wanted = null
  return part
}

/** Opens a page over this one; a part of the bottom bar instead of it. */
export function go(url: string): void {
  const [path = '', query] = url.split('?')
  if ((Object.keys(TABS) as Tab[]).some((tab) => path === `/pages/${tab}/index`)) {
    wanted = query?.replace('part=', '') ?? null
    uni.switchTab({ url: path })
  } else uni.navigateTo({ url })
}

const lacksProduct = () => may('inspection.write') && !session.product

/**
 * What a sign-in leaves to be seen and done: who reset the account, a password of one's own, the second factor that a
 * role demands, the product of today.
 */
function undone(): string | null {
  if (session.resets.length > 0) return '/pages/account/resets'
  if (session.mustChangePassword) return '/pages/account/password'
  if (session.me?.must_enrol_otp) return '/pages/account/otp'
  return lacksProduct() ? '/pages/sign-in/product' : null
}

/** After a sign-in: first what is undone, then `to` or home. */
export function goAfterSignIn(to?: string): void {
  const first = undone()
  if (first) uni.reLaunch({ url: first + (to ? `?to=${encodeURIComponent(to)}` : '') })
  else uni.reLaunch({ url: to ?? '/pages/home/index' })
}

/**
 * Leads to what a sign-in left undone because its page was closed or loaded anew, and from there back to here;
 * false where nothing is undone.
 */
export function leadsToEndOfSignIn(): boolean {
  if (session.token === null || !undone()) return false
  // Reading the address has to wait until the router knows the page.
  setTimeout(() => goAfterSignIn(hereAndNow()))
  return true
}
