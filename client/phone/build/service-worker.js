// The app's own files, kept by the browser: it opens in a cellar too. What people type and send never passes through here.
const BUILD = 'BUILD'
const FILES = [/* FILES */]
// A good line answers sooner (milliseconds); on a slow one nobody waits for it. The kept page is of one build with its parts,
// and at each start the browser looks for a newer build, which it opens the next time.
const PATIENCE = 250

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(BUILD)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      // A page of the former build may still be open and ask for a part of it.
      .then((builds) => Promise.all(builds.slice(0, -2).map((build) => caches.delete(build))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const inScope = request.url.startsWith(self.registration.scope)
  if (request.method !== 'GET' || !inScope) return
  if (request.mode === 'navigate') event.respondWith(startPage(request))
  else event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)))
})

/** The newest start page, or the kept one where the network does not answer at once. */
async function startPage(request) {
  if (!(await kept())) return fetch(request.url, { redirect: 'manual' })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), PATIENCE)
  try {
    const answer = await fetch(request.url, { signal: late.signal, redirect: 'manual' })
    if (answer.ok) return answer
    return (await kept()) ?? answer
  } catch (error) {
    const page = await kept()
    if (page) return page
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function kept() {
  return caches.open(BUILD).then((cache) => cache.match('./'))
}
