/** Hands a file to the person: a browser downloads it, a mini-program lets them send it to a chat (the file helper, a colleague). */

/** False where it could not be handed over, or was given up. */
export async function saveFile(name: string, bytes: Uint8Array): Promise<boolean> {
  // #ifdef H5
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  return true
  // #endif
  // #ifdef MP-WEIXIN
  const filePath = `${wx.env.USER_DATA_PATH}/${name}`
  const data = bytes.slice().buffer as ArrayBuffer
  const written = await new Promise<boolean>((resolve) =>
    wx.getFileSystemManager().writeFile({ filePath, data, success: () => resolve(true), fail: () => resolve(false) }),
  )
  if (!written) return false
  return new Promise((resolve) => {
    const done = (shared: boolean) => {
      wx.getFileSystemManager().unlink({ filePath })
      resolve(shared)
    }
    wx.shareFileMessage({ filePath, fileName: name, success: () => done(true), fail: () => done(false) })
  })
  // #endif
}
