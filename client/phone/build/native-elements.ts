/**
 * In a browser `<view>` and `<text>` are elements, not components of uni-h5: a form of sixty questions has a thousand of
 * them, and a component each made every tap, and the start, slower. What is pressed is shown by `:active` there.
 */
const ELEMENTS: Readonly<Record<string, string>> = { view: 'uni-view', text: 'uni-text' }
const HOVER = new Set(['hover-class', 'hover-start-time', 'hover-stay-time', 'hover-stop-propagation'])

interface Node {
  type: number
  tag: string
  tagType: number
  props: { name: string; arg?: { content?: string } }[]
}

const ELEMENT = 1
const PLAIN = 0

/** Options of the Vue plugin; none for a mini-program. */
export function nativeElements(): object {
  if (process.env['UNI_PLATFORM'] !== 'h5') return {}
  return { template: { compilerOptions: { nodeTransforms: [asElement] } } }
}

function asElement(given: unknown): void {
  const node = given as Node
  const element = node.type === ELEMENT ? ELEMENTS[node.tag] : undefined
  if (element === undefined) return
  node.tag = element
  node.tagType = PLAIN
  node.props = node.props.filter((one) => !HOVER.has(one.name === 'bind' ? (one.arg?.content ?? '') : one.name))
}
