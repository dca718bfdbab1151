import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

import { compressTexts } from '../build/compress'

/** After the build, as for the phone. */
function compressed(): Plugin {
  let folder = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle: { order: 'post', sequential: true, handler: () => compressTexts(folder) },
  }
}

export default defineConfig({
  base: '/desk/',
  plugins: [vue(), compressed()],
  build: {
    outDir: process.env['CLIENT_OUTPUT_DIR'] ?? 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    target: 'es2022',
  },
})
