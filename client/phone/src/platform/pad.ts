/** Ink on a canvas: what a finger draws, and the picture of it. */

export interface Pad {
  /** Places in CSS pixels from the canvas's upper left corner. */
  down(x: number, y: number): void
  move(x: number, y: number): void
  up(): void
  clear(): void
  isEmpty(): boolean
  /** The drawing as PNG on white. */
  bytes(): Promise<Uint8Array>
}

const INK = '#111418'
const PAPER = '#ffffff'
const WIDTH = 3

interface Drawing {
  fillStyle: unknown
  strokeStyle: unknown
  lineWidth: number
  lineCap: string
  lineJoin: string
  scale(x: number, y: number): void
  fillRect(x: number, y: number, width: number, height: number): void
  beginPath(): void
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  stroke(): void
}

function padOn(context: Drawing, width: number, height: number, ratio: number, bytes: () => Promise<Uint8Array>): Pad {
  let [drawing, empty] = [false, true]
  context.scale(ratio, ratio)
  context.lineWidth = WIDTH
  context.lineCap = 'round'
  context.lineJoin = 'round'
  const pad: Pad = {
    down(x, y) {
      drawing = true
      empty = false
      context.strokeStyle = INK
      context.beginPath()
      context.moveTo(x, y)
      // A tap alone is a dot.
      context.lineTo(x + 0.1, y)
      context.stroke()
    },
    move(x, y) {
      if (!drawing) return
      context.lineTo(x, y)
      context.stroke()
    },
    up: () => (drawing = false) as unknown as void,
    clear() {
      empty = true
      context.fillStyle = PAPER
      context.fillRect(0, 0, width, height)
    },
    isEmpty: () => empty,
    bytes,
  }
  pad.clear()
  return pad
}

// #ifdef H5
/** On a canvas element; it draws with finger, pen and mouse. `begun` is told of each stroke. */
export function openPad(canvas: HTMLCanvasElement, begun: () => void = () => undefined): Pad {
  const { width, height } = canvas.getBoundingClientRect()
  const ratio = Math.min(window.devicePixelRatio || 1, 2)
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const pad = padOn(canvas.getContext('2d') as unknown as Drawing, width, height, ratio, async () => {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (!blob) throw new Error('the canvas made no picture')
    return new Uint8Array(await blob.arrayBuffer())
  })
  const at = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  // A quick stroke is a fling to the browser, which then takes the next tap, on 下一位, for the end of it.
  for (const name of ['touchstart', 'touchmove']) {
    canvas.addEventListener(name, (event) => event.preventDefault(), { passive: false })
  }
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId)
    begun()
    pad.down(...at(event))
  }
  canvas.onpointermove = (event) => pad.move(...at(event))
  canvas.onpointerup = canvas.onpointercancel = () => pad.up()
  return pad
}
// #endif

// #ifndef H5
interface CanvasNode {
  width: number
  height: number
  getContext(kind: '2d'): Drawing
}

/** On the canvas (`type="2d"`) of a component; the component passes its touches on. */
export function openCanvasPad(selector: string, component: unknown): Promise<Pad> {
  return new Promise((resolve) => {
    uni
      .createSelectorQuery()
      .in(component)
      .select(selector)
      .fields({ node: true, size: true } as never, (found) => {
        const { node, width, height } = found as unknown as { node: CanvasNode; width: number; height: number }
        const ratio = Math.min(uni.getWindowInfo().pixelRatio, 2)
        node.width = Math.round(width * ratio)
        node.height = Math.round(height * ratio)
        resolve(padOn(node.getContext('2d'), width, height, ratio, () => picture(node)))
      })
      .exec()
  })
}

function picture(canvas: CanvasNode): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    wx.canvasToTempFilePath({
      canvas: canvas as never, fileType: 'png',
      success: ({ tempFilePath }) =>
        uni.getFileSystemManager().readFile({
          filePath: tempFilePath,
          success: ({ data }) => resolve(new Uint8Array(data as ArrayBuffer)),
          fail: ({ errMsg }) => reject(new Error(errMsg)),
        }),
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    }),
  )
}
// #endif
