/** The browser's own picture for H5: uni-h5's `<image>` gives it no text for who cannot see it. */
import { h } from 'vue'

export default function NativePicture(props: { src: string; alt: string }) {
  return h('img', props)
}
