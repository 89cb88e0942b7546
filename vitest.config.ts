import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{contracts,actors,edge,deploy,load-tests,test}/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
