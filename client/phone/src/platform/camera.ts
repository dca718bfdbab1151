/** Photos from the camera, made small enough to be sent from a village; documents from the phone. */

export interface Taken {
  bytes: Uint8Array
  name: string
  mediaType: string
}

/** Longest edge of a photo in pixels, and quality of its JPEG: a licence stays readable, a photo has about 400 KB. */
const EDGE = 1920
const QUALITY = 0.8

/** A photo, compressed to JPEG; null where the person took none. Rejects where the picture cannot be read. */
export async function takePhoto(): Promise<Taken | null> {
  // #ifdef H5
  const file = await choose('image/*', true)
  return file ? { bytes: await smaller(file), name: photoName(), mediaType: 'image/jpeg' } : null
  // #endif
  // #ifndef H5
  return photoInWeChat()
  // #endif
}

/** A document (PDF, picture, …) as it is; null where the person chose none. `extensions`: `pdf`, `jpg`. */
export async function chooseFile(extensions: readonly string[]): Promise<Taken | null> {
  // #ifdef H5
  const file = await choose(extensions.map((one) => `.${one}`).join(','), false)
  if (!file) return null
  return { bytes: new Uint8Array(await file.arrayBuffer()), name: file.name, mediaType: file.type || 'application/octet-stream' }
  // #endif
  // #ifndef H5
  return fileInWeChat(extensions)
  // #endif
}

function photoName(): string {
  return `照片${new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.jpg`
}

// #ifdef H5
function choose(accept: string, camera: boolean): Promise<File | undefined> {
  return new Promise((resolve) => {
    const field = document.createElement('input')
    field.type = 'file'
    field.accept = accept
    if (camera) field.capture = 'environment'
    field.onchange = () => resolve(field.files?.[0])
    field.oncancel = () => resolve(undefined)
    field.click()
  })
}

/** Turned upright, its longest edge at most `EDGE`, as JPEG. */
async function smaller(file: File): Promise<Uint8Array> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const share = Math.min(1, EDGE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * share)
  canvas.height = Math.round(picture.height * share)
  canvas.getContext('2d')!.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  if (!blob) throw new Error('the canvas made no picture')
  return new Uint8Array(await blob.arrayBuffer())
}
// #endif

// #ifndef H5
async function photoInWeChat(): Promise<Taken | null> {
  const path = await new Promise<string | null>((resolve) =>
    uni.chooseMedia({
      count: 1, mediaType: ['image'], sourceType: ['camera', 'album'], sizeType: ['compressed'],
      success: ({ tempFiles }) => resolve(tempFiles[0]?.tempFilePath ?? null),
      fail: () => resolve(null),
    }),
  )
  if (path === null) return null
  const small = await new Promise<string>((resolve) =>
    uni.compressImage({
      src: path, quality: QUALITY * 100, compressedWidth: EDGE,
      success: ({ tempFilePath }) => resolve(tempFilePath),
      fail: () => resolve(path),
    }),
  )
  return { bytes: await read(small), name: photoName(), mediaType: 'image/jpeg' }
}

async function fileInWeChat(extensions: readonly string[]): Promise<Taken | null> {
  const chosen = await new Promise<{ path: string; name: string } | null>((resolve) =>
    wx.chooseMessageFile({
      count: 1, type: 'file', extension: [...extensions],
      success: ({ tempFiles }) => resolve(tempFiles[0] ?? null),
      fail: () => resolve(null),
    }),
  )
  return chosen && { bytes: await read(chosen.path), name: chosen.name, mediaType: typeOf(chosen.name) }
}

const TYPES: Readonly<Record<string, string>> = { pdf: 'application/pdf', jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png' }

function typeOf(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'
}

function read(filePath: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    uni.getFileSystemManager().readFile({
      filePath,
      success: ({ data }) => resolve(new Uint8Array(data as ArrayBuffer)),
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    }),
  )
}
// #endif
