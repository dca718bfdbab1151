/** QR codes: WeChat's scanner in the mini-program. A browser has none of its own, so there people type. */

/** Whether this machine can scan at all; where it cannot, no button for it is shown. */
export const canScan = ((): boolean => {
  // #ifdef MP-WEIXIN
  return true
  // #endif
  // #ifndef MP-WEIXIN
  return 'BarcodeDetector' in globalThis
  // #endif
})()

/** The text of a code in front of the camera; null where the person gave up or the picture holds none. */
export function scan(): Promise<string | null> {
  // #ifdef MP-WEIXIN
  return new Promise((resolve) =>
    uni.scanCode({ scanType: ['qrCode', 'barCode'], success: ({ result }) => resolve(result), fail: () => resolve(null) }),
  )
  // #endif
  // #ifndef MP-WEIXIN
  return fromPicture()
  // #endif
}

interface Detector {
  detect(picture: ImageBitmapSource): Promise<{ rawValue: string }[]>
}

/** A photo of the code, taken with the camera that the browser offers, read by the browser's own detector. */
async function fromPicture(): Promise<string | null> {
  const found = (globalThis as { BarcodeDetector?: new (options: object) => Detector }).BarcodeDetector
  if (!found) return null
  const picture = await new Promise<File | undefined>((resolve) => {
    const field = document.createElement('input')
    field.type = 'file'
    field.accept = 'image/*'
    field.capture = 'environment'
    field.onchange = () => resolve(field.files?.[0])
    field.oncancel = () => resolve(undefined)
    field.click()
  })
  if (!picture) return null
  const codes = await new found({ formats: ['qr_code', 'code_128'] }).detect(await createImageBitmap(picture))
  return codes[0]?.rawValue ?? null
}
