import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/witness/*.witness.ts'],
    pool: 'forks',
    // One witness answers them all, in one thread.
    fileParallelism: false,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    // It is written in Python: a crowd of writers takes it many times as long as the embedded engines.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
