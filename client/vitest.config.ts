import { fileURLToPath } from 'node:url'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('phone/src', import.meta.url)) } },
  test: { include: ['core/tests/**/*.test.ts', 'phone/tests/**/*.test.ts'], passWithNoTests: true },
})
