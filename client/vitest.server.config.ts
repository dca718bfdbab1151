import { defineConfig } from 'vitest/config'

/** Tests against a server process of ours; started by `tests/client/`, which says where the server is. */
export default defineConfig({
  test: {
    include: ['core/tests/server/**/*.server.ts', 'phone/tests/mini-program/*.server.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
})
