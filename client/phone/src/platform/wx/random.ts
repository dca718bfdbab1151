const POOL = 4096

/** Random bytes at once, from a pool that WeChat fills; resolves when the pool is full for the first time. */
export async function openRandom(): Promise<(length: number) => Uint8Array> {
  let pool = await filled()
  let used = 0
  let filling = false

  return (length) => {
    if (used + length > pool.length) throw new Error('random bytes are used up')
    const bytes = pool.slice(used, used + length)
    used += length
    if (used > POOL / 2 && !filling) {
      filling = true
      void filled().then(
        (next) => {
          pool = next
          used = 0
          filling = false
        },
        () => (filling = false),
      )
    }
    return bytes
  }
}

function filled(): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    wx.getRandomValues({
      length: POOL,
      success: ({ randomValues }) => resolve(new Uint8Array(randomValues)),
      fail: (error) => reject(new Error(error.errMsg)),
    }),
  )
}
