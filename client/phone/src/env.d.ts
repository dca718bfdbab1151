/// <reference types="vite/client" />

declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent<object, object, unknown>
  export default component
}

interface ImportMetaEnv {
  /** Where the mini-program finds the server: `https://…` without a slash at the end. H5 asks where it came from. */
  readonly VITE_SERVER?: string
}
