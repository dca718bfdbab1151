import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const COMPRESSED = /\.(js|css|html|svg|json)$/

/** Lays compressed copies beside all texts of a build, which the server sends as they are. */
export function compressTexts(root: string): void {
  for (const name of filesBelow(root).filter((one) => COMPRESSED.test(one))) {
    const content = readFileSync(join(root, name))
    const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
    writeFileSync(join(root, `${name}.gz`), gzipSync(content, { level: 9 }))
    writeFileSync(join(root, `${name}.br`), brotliCompressSync(content, { params: quality }))
  }
}

/** The files below a folder, by paths from there with `/`, sorted. */
export function filesBelow(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((one) => one.isFile())
    .map((one) => relative(root, join(one.parentPath, one.name)).replaceAll('\\', '/'))
    .sort()
}
