import type { Plugin } from 'vite'

/** From where, to where (kept, or taken too where it ends in `;`), and what stands there instead. */
type Cut = readonly [from: string, to: string, instead: string]

/** What uni-h5 keeps for apps that show advertisements, or draw on its canvas; this one does neither. */
const UNUSED: readonly Cut[] = [
  // They would ask their makers' server.
  ['const _AdConfig = class', 'let AdReport = _AdReport;', 'const AdConfig = {}, AdReport = {};'],
  ['class CanvasContext {', 'const createCanvasContext =', 'class CanvasContext {}\nconst initCanvasContextProperty = () => {};\n'],
]
/** Features of uni-h5 for other languages, units and scripts of a mini-program. */
const OFF = ['I18N_EN', 'I18N_ES', 'I18N_FR', 'I18N_ZH_HANT', 'RPX', 'WXS']

/** Leaves it out of the first load of a browser. A release of uni-h5 that is written otherwise stops the build. */
export function withoutUnused(): Plugin[] {
  const isH5 = process.env['UNI_PLATFORM'] === 'h5'
  return [
    {
      name: 'without-unused-engine',
      enforce: 'pre',
      transform(code, id) {
        if (!isH5 || !/\/uni-h5\/dist\/uni-h5\.es\.js(?:\?|$)/.test(id)) return null
        return UNUSED.reduce(replaced, code)
      },
    },
    {
      name: 'without-unused-features',
      enforce: 'post',
      config: () => (isH5 ? { define: Object.fromEntries(OFF.map((one) => [`__UNI_FEATURE_${one}__`, 'false'])) } : {}),
    },
  ]
}

function replaced(code: string, [from, to, instead]: Cut): string {
  const [start, end] = [code.indexOf(from), code.indexOf(to)]
  if (start < 0 || end < start) throw new Error(`uni-h5 has no “${from}” any more: look at build/without-unused.ts`)
  return code.slice(0, start) + instead + code.slice(to.endsWith(';') ? end + to.length : end)
}
