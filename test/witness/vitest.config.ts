import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/witness/*.witness.ts'],
    pool: 'forks',
    // One witness answers them all, in one thread.
    fileParallelism: false,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
