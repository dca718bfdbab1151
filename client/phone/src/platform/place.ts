/** Where the phone is; asked for with the first photo, never before. A refusal costs the place alone. */
import type { Place } from '@gongpin/core'

const PATIENCE = 4_000

/** Degrees in WGS 84; null where the person or the phone does not tell within a few seconds. */
export function whereNow(): Promise<Place | null> {
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE))
  return Promise.race([ask(), late])
}

function ask(): Promise<Place | null> {
  // #ifdef H5
  return new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null)
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: PATIENCE, maximumAge: 60_000 },
    )
  })
  // #endif
  // #ifndef H5
  return new Promise((resolve) =>
    uni.getLocation({
      type: 'wgs84', isHighAccuracy: true, highAccuracyExpireTime: PATIENCE,
      success: ({ latitude, longitude, accuracy }) => resolve({ latitude, longitude, accuracy: accuracy ?? null }),
      fail: () => resolve(null),
    }),
  )
  // #endif
}
