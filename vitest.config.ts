import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{contracts,actors,edge,deploy,load-tests,test}/**/*.test.ts'],
    pool: 'forks',
    // The AWS SDK greets Node 20 in each process; ours are pinned.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
