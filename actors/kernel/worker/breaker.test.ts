import { expect, test } from 'vitest'
import { virtualClock } from '../ports/clock/virtual.ts'
import { circuitBreaker } from './breaker.ts'

const start = () => {
  const clock = virtualClock()
  const changes: boolean[] = []
  const engines = circuitBreaker(clock, paused => changes.push(paused))
  /** Milliseconds until polling goes on. */
  const wait = async () => {
    const from = clock.elapsed()
    const opened = engines.open().then(() => clock.elapsed() - from)
    await clock.advance(20_000)
    return opened
  }
  return { clock, engines, changes, wait }
}

test('each failure after the pause of the one before makes the next pause longer, up to 10 s; a success forgets them', async () => {
  const { engines, wait } = start()
  const waits: number[] = []
  for (let n = 0; n < 8; n++) {
    engines.failed(new Error('the store does not answer'))
    waits.push(await wait())
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  engines.ok()
  engines.failed(new Error('again'))
  expect(await wait()).toBe(250)
})

test('many turns that fail of one hiccup are one failure', async () => {
  const { engines, changes, wait } = start()
  for (let n = 0; n < 64; n++) engines.failed(new Error(`turn ${n}`))
  expect(engines.error()).toBe('turn 63')
  expect(await wait()).toBe(250)
  expect(changes).toEqual([true, false])
})
