"""What `bench/phone.py` runs inside the browser."""

# The first frame in which somebody can type a user name and press 登录.
USABLE = """
const look = () => {
  const field = document.querySelector('#username input'), button = document.querySelector('.sign-in-buttons .tap')
  if (field && button && field.getBoundingClientRect().height > 0) window.usable = performance.now()
  else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""

# From the finger's leaving to the frame that shows what it did, as the browser measures it (Event Timing).
TAPS = """
window.taps = new Map()
new PerformanceObserver(list => list.getEntries().forEach(one => {
  const {interactionId: tap, duration} = one
  if (tap) window.taps.set(tap, Math.max(duration, window.taps.get(tap) ?? 0))
})).observe({type: 'event', durationThreshold: 16, buffered: true})
"""

# The longest time between two frames.
FRAMES = """() => {
  window.gaps = []
  let last = performance.now()
  const frame = now => {
    window.gaps.push(now - last)
    last = now
    window.counting = requestAnimationFrame(frame)
  }
  window.counting = requestAnimationFrame(frame)
}"""

SEED = """async ([scope, count, body]) => {
  const database = await new Promise((done, failed) => {
    const asked = indexedDB.open('gongpin')
    asked.onsuccess = () => done(asked.result)
    asked.onerror = () => failed(asked.error)
  })
  const writing = database.transaction('values', 'readwrite')
  for (let number = 0; number < count; number += 1) {
    const key = `${String(Date.now() + number).padStart(15, '0')}-00000000`, id = crypto.randomUUID()
    const entry = {
      key, id, type: 'submission', recordType: 'inspections', title: `天宁某某五金经营部 ${number + 1}`,
      call: {method: 'PUT', path: `/api/v1/inspections/${id}/submission`, body},
      before: null, files: [], draft: null, createdAt: Date.now(), state: 'waiting', attempts: 0, nextAt: 0,
      asked: false, filesSentAgain: false, problem: null,
    }
    writing.objectStore('values').put(entry, `${scope}out/${key}`)
  }
  await new Promise((done, failed) => { writing.oncomplete = done; writing.onerror = () => failed(writing.error) })
  database.close()
}"""
