/** Has the browser keep the app's own files, so that it opens without a network. A mini-program is kept by WeChat. */
export function keepAppShell(): void {
  // #ifdef H5
  if (import.meta.env.DEV || !('serviceWorker' in navigator)) return
  const register = () => void navigator.serviceWorker.register('sw.js').catch(() => undefined)
  // After the first screen: on a slow line its files come first.
  if (document.readyState === 'complete') setTimeout(register, 1000)
  else window.addEventListener('load', () => setTimeout(register, 1000))
  // #endif
}
