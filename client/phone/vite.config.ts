import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig, type Plugin } from 'vite'

import { appShell } from './build/app-shell'

// The package is CommonJS: as a module its function stands under `default` once more.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin

/** `aria-role` is WeChat's own name for `role`; in a browser it is an attribute that does not exist. */
function withoutAriaRole(): Plugin {
  return {
    name: 'without-aria-role',
    enforce: 'pre',
    transform: (code, id) =>
      process.env['UNI_PLATFORM'] === 'h5' && id.endsWith('.vue') ? code.replace(/\s:?aria-role="[^"]*"/g, '') : null,
  }
}

/**
 * In a browser the styles of forms, offices and enterprises come with every page but the sign-in; home, the first page
 * behind it, has tiles alone and takes those of offices. In a mini-program they
 * stand in the app's own style (`App.vue`): a page's would end at the border of its components.
 */
function withWorkStyles(): Plugin {
  return {
    name: 'with-work-styles',
    enforce: 'pre',
    transform: (code, id) =>
      process.env['UNI_PLATFORM'] === 'h5' && /\/src\/pages\/.+\.vue$/.test(id) && !id.endsWith('/pages/sign-in/index.vue')
        ? code.replace('<script setup lang="ts">', `$&\nimport '@/styles/${id.includes('/pages/home/') ? 'office.css' : 'work'}'`)
        : null,
  }
}

/** uni-h5's own styles load the shadow of its title bar from its makers' server; no request leaves our origin. */
function withoutForeignPictures(): Plugin {
  return {
    name: 'without-foreign-pictures',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          file.source = String(file.source).replace(/url\(["']?(?:https?:)?\/\/[^)]*\)/g, 'none')
        }
      }
    },
  }
}

/** What uni-h5 keeps for apps that show advertisements, draw on its canvas or speak other languages; this one does not. */
const UNUSED: readonly [from: string, to: string, instead: string][] = [
  // They would ask their makers' server.
  ['const _AdConfig = class', 'let AdReport = _AdReport;', 'const AdConfig = {}, AdReport = {};'],
  ['class CanvasContext {', 'const createCanvasContext =', 'class CanvasContext {}\nconst initCanvasContextProperty = () => {};\n'],
]
const OFF = ['I18N_EN', 'I18N_ES', 'I18N_FR', 'I18N_ZH_HANT', 'RPX', 'WXS']

/** Leaves it out of the first load of a browser. A release of uni-h5 that is written otherwise stops the build. */
function withoutUnused(): Plugin[] {
  const isH5 = process.env['UNI_PLATFORM'] === 'h5'
  return [
    {
      name: 'without-unused-engine',
      enforce: 'pre',
      transform(code, id) {
        if (!isH5 || !/\/uni-h5\/dist\/uni-h5\.es\.js(?:\?|$)/.test(id)) return null
        return UNUSED.reduce((left, [from, to, instead]) => {
          const [start, end] = [left.indexOf(from), left.indexOf(to)]
          if (start < 0 || end < start) throw new Error(`uni-h5 has no “${from}” any more: look at UNUSED in vite.config.ts`)
          return left.slice(0, start) + instead + left.slice(to.endsWith(';') ? end + to.length : end)
        }, code)
      },
    },
    {
      name: 'without-unused-features',
      enforce: 'post',
      config: () => (isH5 ? { define: Object.fromEntries(OFF.map((one) => [`__UNI_FEATURE_${one}__`, 'false'])) } : {}),
    },
  ]
}

export default defineConfig({
  plugins: [withoutAriaRole(), withWorkStyles(), withoutUnused(), uni(), withoutForeignPictures(), appShell()],
  // Under a CSP without `unsafe-eval` vue-i18n (inside uni-h5) must not compile messages by `new Function`.
  define: { __INTLIFY_JIT_COMPILATION__: true },
  build: { assetsInlineLimit: 0, reportCompressedSize: false },
  css: { preprocessorOptions: { scss: { silenceDeprecations: ['legacy-js-api'] } } },
})
