import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'

// The package is CommonJS: as a module its function stands under `default` once more.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin

export default defineConfig({
  plugins: [uni()],
  // Under a CSP without `unsafe-eval` vue-i18n (inside uni-h5) must not compile messages by `new Function`.
  define: { __INTLIFY_JIT_COMPILATION__: true },
  build: { assetsInlineLimit: 0, reportCompressedSize: false },
  css: { preprocessorOptions: { scss: { silenceDeprecations: ['legacy-js-api'] } } },
})
