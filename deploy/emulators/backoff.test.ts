import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

test('the first death costs no pause, each further one twice the last, up to 5 s', () => {
  const pause = backoff()
  expect([0, 0, 0, 0, 0, 0, 0, 0].map(pause)).toEqual([0, 250, 500, 1000, 2000, 4000, 5000, 5000])
})

test('a process that was ready for 10 s starts again at once', () => {
  const pause = backoff()
  expect([0, 0, 9_999, 10_000, 0].map(pause)).toEqual([0, 250, 500, 0, 250])
})
