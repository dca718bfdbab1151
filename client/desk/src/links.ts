/** Where what a to-do is about stands at the desk; undefined where the desk has no page for it yet. */
export function deskPathOf(link: string): string | undefined {
  const path = link.split('?')[0] ?? ''
  const application = /^\/account-applications\/([0-9a-f-]{36})$/.exec(path)
  if (application) return `/accounts/applications?status=pending&application=${application[1]}`
  return /^\/(filings|ratings)\/[0-9a-f-]{36}$/.test(path) ? path : undefined
}
