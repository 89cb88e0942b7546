import { describe, expect, test } from 'vitest'
import { deadline } from '../actors/kernel/ports/clock/deadline.ts'
import { stopwatch } from '../actors/kernel/ports/clock/stopwatch.ts'
import { virtualClock } from '../actors/kernel/ports/clock/virtual.ts'
import { memoryJobs } from '../actors/kernel/ports/jobs/memory.ts'
import { memoryMailbox } from '../actors/kernel/ports/mailbox/memory.ts'
import type { Delivery } from '../actors/kernel/ports/mailbox/port.ts'
import { circuitBreaker } from '../actors/kernel/worker/breaker.ts'
import { visibilityHeartbeat } from '../actors/kernel/worker/visibility.ts'
import { pushOrigins } from '../actors/push/send/origins.ts'
import { authenticator } from '../edge/access/auth.ts'
import { tokenVerifier } from '../edge/access/keys.ts'
import { replyWaiters } from '../edge/commands/reply-waiters.ts'
import { configFor, testEdge } from '../edge/testing/edge.ts'
import { newPool } from '../edge/testing/pool.ts'

const START = Date.parse('2026-11-20T12:00:00.000Z')
const HOUR = 3_600_000

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('when the wall clock is set %s by an hour', (_, step) => {
  test('a deadline ends when it would have', async () => {
    const clock = virtualClock(START)
    const end = deadline(clock, 5_000)
    const raced = end.race(new Promise(() => {}), () => 'late')
    clock.stepWall(step)
    expect(end.left()).toBe(5_000)
    await clock.advance(5_000)
    expect([await raced, end.left()]).toEqual(['late', 0])
  })

  test('what is timed has lasted as long as it has, since when it began', async () => {
    const clock = virtualClock(START)
    const timed = stopwatch(clock)
    clock.stepWall(step)
    await clock.advance(70)
    expect(timed()).toEqual({ at: START, ms: 70 })
  })

  test('who waits for a reply waits as long', async () => {
    const clock = virtualClock(START)
    const room = replyWaiters(clock)
    let ended = false
    const waited = room.wait('m', 1_000).then(() => {
      ended = true
    })
    clock.stepWall(step)
    await clock.advance(900)
    expect(ended).toBe(false)
    await clock.advance(200)
    await waited
    expect(room.has('m')).toBe(false)
  })

  test('polling pauses as long as engines fail', async () => {
    const clock = virtualClock(START)
    const engines = circuitBreaker(clock, () => {})
    engines.failed(new Error('the store does not answer'))
    clock.stepWall(step)
    expect(engines.error()).toBe('the store does not answer')
    let open = false
    void engines.open().then(() => {
      open = true
    })
    await clock.advance(200)
    expect(open).toBe(false)
    await clock.advance(100)
    expect(open).toBe(true)
  })

  test('a message that is worked on is kept from others, and its age is its own', async () => {
    const clock = virtualClock(START)
    const ages: number[] = []
    let extended = 0
    const hold = visibilityHeartbeat(
      clock,
      33,
      () => {},
      ms => ages.push(ms),
    )
    const extend = async () => {
      extended++
    }
    const delivery: Delivery = {
      id: 'm',
      group: undefined,
      body: '',
      attributes: {},
      receives: 1,
      sentAt: START,
      ack: async () => {},
      extend,
    }
    hold.keepInvisible(delivery)
    clock.stepWall(step)
    await clock.advance(10_000)
    expect([extended, ages]).toEqual([1, [10_000]])
    hold.stop()
  })

  test('a message that was received stays hidden as long', async () => {
    const clock = virtualClock(START)
    const mailbox = memoryMailbox({ clock, random: () => 0.5 })
    const receives: number[] = []
    const consumer = mailbox.consume('posts.fifo', { pollers: 1, visibility: 30 }, async deliveries => {
      receives.push(...deliveries.map(d => d.receives))
    })
    await mailbox.send('posts.fifo', { id: 'm', group: 'g', body: 'b' })
    await clock.advance(1_000)
    clock.stepWall(step)
    await clock.advance(28_000)
    expect(receives).toEqual([1])
    await clock.advance(2_000)
    expect(receives).toEqual([1, 2])
    const stopped = consumer.stop()
    await clock.advance(30_000)
    await stopped
  })

  test('a job pauses as long before its next try', async () => {
    const clock = virtualClock(START)
    const jobs = memoryJobs({ clock, random: () => 0.5 })
    const tries: number[] = []
    jobs.work('q', { concurrency: 1, firstPauseMs: 1_000 }, async ({ attempt }) => {
      tries.push(attempt)
      return { retry: 'not yet' }
    })
    await jobs.add('q', [{ id: 'j', data: null, until: START + 10 * HOUR }])
    await clock.advance(0)
    clock.stepWall(step)
    await clock.advance(700)
    expect(tries).toEqual([1])
    await clock.advance(600)
    expect(tries).toEqual([1, 2])
    await jobs.close()
  })

  test('a push service that asked for it is left alone as long', async () => {
    const clock = virtualClock(START)
    const origins = pushOrigins({ elapsed: clock.elapsed, random: () => 0.5, slots: 4, refusing: () => {} })
    const slot = origins.enter('https://push.example', 's')
    if ('leave' in slot) slot.leave({ kind: 'busy', afterMs: 60_000 })
    clock.stepWall(step)
    expect(origins.enter('https://push.example', 't')).toMatchObject({ wait: 60_000 })
    await clock.advance(60_000)
    expect(origins.enter('https://push.example', 't')).toHaveProperty('leave')
  })

  test('a budget fills at its rate', async () => {
    const clock = virtualClock(Date.now())
    const { call, edge } = await testEdge({ clock, config: { READS_PER_SECOND: '1', READS_BURST: '2' } })
    const read = async () => (await call('GET', '/v1/timeline')).status
    expect([await read(), await read(), await read()]).toEqual([404, 404, 429])
    // Tokens end by the wall clock, and this one is good for less than an hour more.
    clock.stepWall(step / 4)
    expect(await read()).toBe(429)
    await clock.advance(1_000)
    expect([await read(), await read()]).toEqual([404, 429])
    await edge.close()
  })

  test('keys that cannot be had are asked for once a window', async () => {
    const clock = virtualClock(Date.now())
    const pool = newPool()
    let fetches = 0
    const fetcher = {
      fetch: async () => {
        fetches++
        throw new Error('the network is down')
      },
    }
    const auth = authenticator(tokenVerifier({ ...configFor(pool), COGNITO_JWKS: undefined }, clock, fetcher), clock)
    const verify = () => auth.verify(pool.token('0190a000-0000-7000-8000-000000000001')).catch(() => {})
    await verify()
    clock.stepWall(step)
    await verify()
    expect(fetches).toBe(1)
    await clock.advance(11_000)
    await verify()
    expect(fetches).toBe(2)
  })
})

test('what the wall clock says is what is stored: a step of it does not move what elapses', async () => {
  const clock = virtualClock(START)
  const before = clock.elapsed()
  clock.stepWall(-HOUR)
  expect([clock.now(), clock.elapsed()]).toEqual([START - HOUR, before])
  await clock.advance(5)
  expect([clock.now(), clock.elapsed()]).toEqual([START - HOUR + 5, before + 5])
})
