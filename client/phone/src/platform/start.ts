/** Where the app begins. */

/**
 * Of somebody whom nobody knows here yet: at the sign-in, where the address names no page. Without this a browser loads
 * home first, only to leave it.
 */
export function beginAtSignIn(): void {
  // #ifdef H5
  if (/^#?\/?$/.test(location.hash)) history.replaceState(null, '', '#/pages/sign-in/index')
  // #endif
}
