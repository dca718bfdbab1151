import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Plugin } from 'vite'

import { compressTexts, filesBelow } from '../../build/compress'

/**
 * After the H5 build: writes `sw.js`, by which the app opens without a network, and lays compressed copies beside all
 * texts, which the server sends as they are.
 */
export function appShell(): Plugin {
  let folder = ''
  return {
    name: 'app-shell',
    apply: 'build',
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        if (process.env['UNI_PLATFORM'] !== 'h5') return
        const root = process.env['UNI_OUTPUT_DIR'] ?? folder
        askForSignInAtOnce(root)
        writeFileSync(join(root, 'sw.js'), serviceWorker(root))
        compressTexts(root)
      },
    },
  }
}

/** On a slow line each file that is found only in another one costs a round trip: the first page names its own. */
function askForSignInAtOnce(root: string): void {
  const assets = filesBelow(join(root, 'assets'))
  const first = assets.find((name) => /^pages-sign-in-index\.[^.]+\.js$/.test(name))
  if (!first) throw new Error('the sign-in page is not in the build')
  const source = readFileSync(join(root, 'assets', first), 'utf8')
  const needed = [...source.matchAll(/from"\.\/([^"]+\.js)"/g)].map((match) => match[1]!)
  const page = join(root, 'index.html')
  const html = readFileSync(page, 'utf8')
  const links = [first, ...needed]
    .filter((name) => !html.includes(name))
    .map((name) => `<link rel="modulepreload" crossorigin href="/app/assets/${name}">`)
  writeFileSync(page, html.replace('</head>', `${links.join('')}</head>`))
}

/** Its cache is named by the content of all files, so that each build has one of its own. */
function serviceWorker(root: string): string {
  const files = filesBelow(root).filter((name) => !/\.(gz|br|map)$/.test(name) && name !== 'sw.js')
  const digest = createHash('sha256')
  for (const name of files) digest.update(name).update(readFileSync(join(root, name)))
  const source = readFileSync(join(import.meta.dirname ?? __dirname, 'service-worker.js'), 'utf8')
  const addresses = files.map((name) => (name === 'index.html' ? './' : name))
  return source
    .replace("'BUILD'", JSON.stringify(digest.digest('hex').slice(0, 16)))
    .replace('[/* FILES */]', JSON.stringify(addresses))
}
