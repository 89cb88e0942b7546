import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** What is decided and declared: functions of what they are given, so that one process can hold test after test without starting over. */
const PURE = [
  'contracts/{declare,derive}/**/*.test.ts',
  'contracts/*.test.ts',
  'actors/*.test.ts',
  'actors/{posts,users,timelines,testing}/**/*.test.ts',
  'actors/push/*.test.ts',
]
const ALL = '{contracts,actors,edge,deploy,load-tests,test}/**/*.test.ts'

export default defineConfig({
  test: {
    pool: 'forks',
    env: {
      // The AWS SDK greets Node 20 in each process; ours are pinned.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      COMPILED: fileURLToPath(new URL('node_modules/.cache/dailygrind/', import.meta.url)),
    },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: { name: 'whole processes', include: [ALL], exclude: ['**/node_modules/**', ...PURE], globalSetup: 'test/compiled.mjs' },
      },
    ],
  },
})
