/**
 * The browser's own field for H5. uni-h5's `<input>` puts label and description on an element around the field,
 * where neither screen readers nor password managers look.
 */
import { defineComponent, h } from 'vue'

export default defineComponent({
  props: { multiline: Boolean, value: { type: String, required: true } },
  emits: ['update'],
  setup(props, { attrs, emit, expose }) {
    let element: HTMLInputElement | HTMLTextAreaElement | null = null
    expose({ focus: () => element?.focus() })
    return () =>
      h(props.multiline ? 'textarea' : 'input', {
        ...attrs,
        ref: (it) => (element = it as HTMLInputElement | null),
        value: props.value,
        onInput: (event: Event) => emit('update', (event.target as HTMLInputElement).value),
      })
  },
})
