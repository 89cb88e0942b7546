import { expect, test } from 'vitest'
import type { Verdict } from './answer.ts'
import { pushOrigins } from './origins.ts'

const SLOTS = 64
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const there = 'https://push.example'

/** Origins on a clock that stands still unless it is told to go on; pauses are neither shortened nor stretched. */
const origins = () => {
  let now = Date.parse('2026-11-20T10:00:00.000Z')
  let subscriptions = 0
  const alarms: boolean[] = []
  const known = pushOrigins({ elapsed: () => now, random: () => 0.5, slots: SLOTS, refusing: (_, refuses) => void alarms.push(refuses) })
  const enter = (origin = there, subscription = `s${subscriptions++}`) => known.enter(origin, subscription)
  /** As many requests as there may be at once. */
  const fill = (origin = there) => {
    const leaves: ((v: Verdict | undefined) => void)[] = []
    for (let slot = enter(origin); 'leave' in slot; slot = enter(origin)) leaves.push(slot.leave)
    return leaves
  }
  const wait = (origin = there): number => {
    const slot = enter(origin)
    if ('wait' in slot) return slot.wait
    slot.leave(undefined)
    return 0
  }
  const once = (verdict: Verdict, origin = there) => {
    const slot = enter(origin)
    if ('wait' in slot) throw new Error(slot.why)
    slot.leave(verdict)
  }
  const pass = (ms: number) => {
    now += ms
  }
  return { alarms, fill, wait, once, pass }
}

test('who answers may have every slot; who has not yet, a share', () => {
  const o = origins()
  for (const leave of o.fill()) leave({ kind: 'taken' })
  expect(o.fill()).toHaveLength(SLOTS)
  expect(o.fill('https://other.example')).toHaveLength(SLOTS / 4)
})

test('many that are refused at once are one alarm and one pause; a success ends both', () => {
  const o = origins()
  o.once({ kind: 'taken' })
  for (const leave of o.fill()) leave({ kind: 'refused' })
  expect([o.alarms, o.wait()]).toEqual([[true], 5 * MINUTE])
  o.pass(5 * MINUTE)
  const [late, ...more] = o.fill()
  for (const leave of more) leave({ kind: 'refused' })
  expect(o.wait()).toBe(10 * MINUTE)
  late?.({ kind: 'taken' })
  expect(o.fill()).toHaveLength(SLOTS)
  expect(o.alarms.at(-1)).toBe(false)
})

test('a service that does not answer costs one request a minute in the end, whoever waits for it', () => {
  const o = origins()
  for (let round = 0; round < 3; round++) {
    const waiting = o.fill()
    o.pass(5_000)
    for (const leave of waiting) leave({ kind: 'failed' })
  }
  const pauses = Array.from({ length: 6 }, () => {
    const pause = o.wait()
    o.pass(pause)
    const waiting = o.fill()
    expect(waiting).toHaveLength(1)
    o.pass(5_000)
    for (const leave of waiting) leave({ kind: 'failed' })
    return pause
  })
  expect(pauses).toEqual([7_500, 13_750, 23_125, 37_187.5, 58_281.25, MINUTE])
})

test('a service that stumbles is not left alone: its messages have pauses of their own', () => {
  const o = origins()
  for (let failures = 0; failures < 100; failures++) {
    o.once({ kind: 'failed' })
    o.pass(40)
  }
  expect(o.wait()).toBe(0)
  o.once({ kind: 'taken' })
  expect(o.fill()).toHaveLength(SLOTS)
})

test('one that has failed for a while is left alone half as long, and then asked by many: one of them may get through', () => {
  const o = origins()
  for (let second = 0; second < 6; second++) {
    o.once({ kind: 'failed' })
    o.pass(1_000)
  }
  // it had been failing for 5 s when it failed last, a second ago
  expect(o.wait()).toBe(1_500)
  o.pass(1_500)
  expect(o.fill()).toHaveLength(SLOTS / 4)
})

test('who is busy is left alone as long as it asks, an hour at the most, or a second', () => {
  const o = origins()
  o.once({ kind: 'busy', afterMs: 30_000 })
  expect(o.wait()).toBe(30_000)
  o.pass(30_000)
  o.once({ kind: 'taken' })
  o.once({ kind: 'busy', afterMs: 24 * HOUR })
  expect(o.wait()).toBe(HOUR)
  o.pass(HOUR)
  o.once({ kind: 'taken' })
  o.once({ kind: 'busy' })
  expect(o.wait()).toBe(1_000)
})

test('who is busy for long is asked ever less often, though it says that one need not wait', () => {
  const o = origins()
  const pauses = Array.from({ length: 12 }, () => {
    o.once({ kind: 'busy', afterMs: 0 })
    const pause = o.wait()
    o.pass(pause + 1_000)
    return pause
  })
  expect(pauses.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
  for (const [n, pause] of pauses.slice(5).entries()) expect(pause).toBeGreaterThan(pauses[4 + n] ?? 0)
})
