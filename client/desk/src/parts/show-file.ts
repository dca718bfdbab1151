import type { InjectionKey } from 'vue'

/** Shows a file beside the form. */
export const SHOW_FILE: InjectionKey<(id: string) => void> = Symbol('show file')
