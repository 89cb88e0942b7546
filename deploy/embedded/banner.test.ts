import { expect, test } from 'vitest'
import { type BannerFacts, banner } from './banner.ts'

const facts = (server: BannerFacts['server']): BannerFacts => ({
  url: 'http://127.0.0.1:3000',
  stream: 'ws://127.0.0.1:3000/v1/stream',
  operations: 'http://127.0.0.1:3100',
  server,
  data: '.data',
  directory: '.data',
  engines: {},
  ownJobs: false,
  processes: [{ name: 'mesh', pid: 1 }],
  tookMs: 1000,
})

test('the banner says which server serves, and why', () => {
  expect(banner(facts({ name: 'uws', why: 'its binary loads' }))).toMatch(/│ Server +uWebSockets\.js: its binary loads +│/)
  const why = 'uWebSockets.js does not load here: its binary needs GLIBC_2.38'
  expect(banner(facts({ name: 'node', why }))).toMatch(
    /│ Server +node:http: uWebSockets\.js does not load here: its binary needs GLIBC_2\.38 +│/,
  )
})
