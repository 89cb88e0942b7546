import { describe, expect, test } from 'vitest'
import { clockConformance } from '../actors/kernel/ports/clock/conformance.ts'
import { systemClock } from '../actors/kernel/ports/clock/system.ts'
import { virtualClock } from '../actors/kernel/ports/clock/virtual.ts'

clockConformance('system', () => ({ clock: systemClock, pass: ms => new Promise(resolve => setTimeout(resolve, ms)) }))
clockConformance('virtual', () => {
  const clock = virtualClock(1_000)
  return { clock, pass: clock.advance }
})

describe('the system clock', () => {
  test('does not end a sleep of a month at once', async () => {
    const controller = new AbortController()
    const outcome = systemClock.sleep(31 * 86_400_000, controller.signal).then(
      () => 'ended',
      () => 'aborted',
    )
    await systemClock.sleep(10)
    controller.abort()
    expect(await outcome).toBe('aborted')
  })
})

describe('the virtual clock', () => {
  test('stands still by itself and passes exactly what it is told', async () => {
    const clock = virtualClock(5)
    expect(clock.now()).toBe(5)
    await clock.advance(100)
    expect(clock.now()).toBe(105)
  })

  test('shows each sleeper its own time, and what follows from one happens before the next', async () => {
    const clock = virtualClock()
    const seen: string[] = []
    void clock.sleep(10).then(async () => {
      seen.push(`a ${clock.now()}`)
      await clock.sleep(5)
      await new Promise(setImmediate)
      seen.push(`a again ${clock.now()}`)
    })
    void clock.sleep(16).then(() => seen.push(`b ${clock.now()}`))
    await clock.advance(20)
    expect(seen).toEqual(['a 10', 'a again 15', 'b 16'])
  })

  test('wakes those of one moment in the order in which they lay down', async () => {
    const clock = virtualClock()
    const seen: number[] = []
    for (const n of [1, 2, 3]) void clock.sleep(7).then(() => seen.push(n))
    await clock.advance(7)
    expect(seen).toEqual([1, 2, 3])
  })

  test('runs until nobody sleeps, ticking along', async () => {
    const clock = virtualClock()
    let ticks = 0
    clock.every(1_000, () => ticks++)
    let done = false
    void (async () => {
      for (let i = 0; i < 10; i++) await clock.sleep(1_000)
      done = true
    })()
    await clock.untilIdle()
    expect({ done, ticks, now: clock.now() }).toEqual({ done: true, ticks: 10, now: 10_000 })
  })

  test('says so when somebody never stops sleeping', async () => {
    const clock = virtualClock()
    void (async () => {
      for (;;) await clock.sleep(1_000)
    })()
    await expect(clock.untilIdle(60_000)).rejects.toThrow('1 still sleep after 60000 ms of virtual time')
  })
})
