import { describe, expect, test } from 'vitest'
import type { Clock } from './port.ts'

/**
 * What every clock keeps.
 * @param open a clock and a way to let at least so many milliseconds pass on it
 */
export const clockConformance = (name: string, open: () => { clock: Clock; pass: (ms: number) => Promise<void> }): void => {
  describe(`clock: ${name}`, () => {
    test('as much elapses as passes, in whole milliseconds and never backwards', async () => {
      const { clock, pass } = open()
      const readings = [clock.elapsed()]
      for (let n = 0; n < 4; n++) {
        await pass(5)
        readings.push(clock.elapsed())
      }
      expect(readings.every(Number.isSafeInteger)).toBe(true)
      expect(readings).toEqual([...readings].sort((x, y) => x - y))
      // Timers and readings round differently.
      expect((readings.at(-1) ?? 0) - (readings[0] ?? 0)).toBeGreaterThanOrEqual(15)
    })

    test('a sleep ends, not before its time', async () => {
      const { clock, pass } = open()
      const from = clock.elapsed()
      const slept = clock.sleep(20).then(() => clock.elapsed() - from)
      await pass(25)
      // Timers and Date.now round differently, hence one millisecond.
      expect(await slept).toBeGreaterThanOrEqual(19)
    })

    test('sleeps end in the order of their times', async () => {
      const { clock, pass } = open()
      const order: number[] = []
      const sleeps = [60, 5, 30].map(ms => clock.sleep(ms).then(() => order.push(ms)))
      await pass(80)
      await Promise.all(sleeps)
      expect(order).toEqual([5, 30, 60])
    })

    test('a sleep of nothing ends', async () => {
      const { clock, pass } = open()
      const slept = clock.sleep(0)
      await pass(2)
      await slept
    })

    test('a sleep rejects with the reason of its signal, before and while it sleeps', async () => {
      const { clock } = open()
      const reason = new Error('enough')
      await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
      const controller = new AbortController()
      const sleeping = clock.sleep(60_000, controller.signal)
      controller.abort(reason)
      await expect(sleeping).rejects.toBe(reason)
    })

    test('a signal after the end does no harm', async () => {
      const { clock, pass } = open()
      const controller = new AbortController()
      const slept = clock.sleep(1, controller.signal)
      await pass(5)
      await slept
      controller.abort()
    })

    test('every ticks until stopped, also from within', async () => {
      const { clock, pass } = open()
      let ticks = 0
      const ticking = clock.every(5, () => {
        ticks++
        if (ticks === 3) ticking.stop()
      })
      while (ticks < 3) await pass(5)
      await pass(30)
      expect(ticks).toBe(3)
    })

    test('every refuses a span that would never pass or never end', () => {
      const { clock } = open()
      expect(() => clock.every(0, () => {})).toThrow(RangeError)
      expect(() => clock.every(Number.NaN, () => {})).toThrow(RangeError)
    })
  })
}
