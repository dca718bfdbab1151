/** The browser's own canvas for H5: uni-h5's wraps it and takes its touches. */
import { defineComponent, h } from 'vue'

export default defineComponent({
  emits: ['ready'],
  setup(_props, { attrs, emit }) {
    return () => h('canvas', { ...attrs, onVnodeMounted: ({ el }: { el: unknown }) => emit('ready', el) })
  },
})
