import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { CLOSE, EventFrame, Hello, Lagged, Resumed } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { testEdge } from '../testing/edge.ts'
import { connect } from '../testing/socket.ts'
import type { Change } from './resume.ts'

const START = Date.parse('2026-11-20T12:00:00.000Z')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})
const person = { id: randomUUID(), firstName: 'Ann', lastName: 'Lee', avatar: null }
const change = (id: string, at: string): Change => ({ id, type: 'user.updated', at, data: { user: person } })
const world = async (changes: (by: string, since: number, now: number) => Promise<readonly Change[]>, clock = virtualClock(START)) => {
  const it = await testEdge({ clock, changes: (_, ...asked) => changes(...asked) })
  cleanups.push(it.edge.close)
  const token = it.pool.token(it.user, { expiresIn: 3 * 365 * 86_400 })
  const tell = (id: string) =>
    it.ports.backplane.deliver(it.edge.name, [
      { id, type: 'user.updated', at: new Date(clock.now()).toISOString(), data: {}, to: [it.user] },
    ])
  return { ...it, clock, tell, open: (more = {}) => connect(it.edge.sockets, { token, ...more }) }
}
const soon = async () => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}

test('a device that comes back hears what changed since, then that this was all', async () => {
  const asked: unknown[] = []
  const missed = [change('e-1', '2026-11-20T12:00:20.000Z'), change('e-2', '2026-11-20T12:00:40.000Z')]
  const { open, clock, user } = await world(async (...question) => {
    asked.push(question)
    return missed
  })
  const { position } = Hello.parse((await open()).frames[0])
  await clock.advance(60_000)
  const back = await open()
  back.say({ op: 'resume', position })
  await until('the end of the replay', () => back.ofOp('resumed')[0])
  // A little earlier than the position was given out: what was on its way then comes again rather than never.
  expect(asked).toEqual([[user, START - 10_000, START + 60_000]])
  expect(back.ofOp('event').map(f => EventFrame.parse(f).id)).toEqual(['e-1', 'e-2'])
  expect(Resumed.parse(back.frames.at(-1))).toEqual({ op: 'resumed', replayed: 2 })
})

test('live events wait for the end of the replay, so that no position overtakes what is still to come', async () => {
  let answer: (changes: readonly Change[]) => void = () => {}
  const { open, tell } = await world(
    () =>
      new Promise(resolve => {
        answer = resolve
      }),
  )
  const device = await open()
  device.say({ op: 'resume', position: Hello.parse(device.frames[0]).position })
  await tell('live')
  await soon()
  expect(device.ofOp('event')).toEqual([])
  answer([change('missed', '2026-11-20T11:59:59.000Z')])
  await until('the live event', () => device.ofOp('event')[1])
  expect(device.frames.slice(1).map(f => (f.op === 'event' ? EventFrame.parse(f).id : f.op))).toEqual(['missed', 'resumed', 'live'])
  await tell('later')
  await until('the next one', () => device.ofOp('event')[2])
})

test('a position of yesterday, or one that was never given out, is too old to be known', async () => {
  const { open, clock } = await world(async () => [])
  const { position } = Hello.parse((await open()).frames[0])
  await clock.advance(24 * 3_600_000)
  const device = await open()
  for (const known of [position, 'made up']) device.say({ op: 'resume', position: known })
  await soon()
  expect(device.frames.slice(1)).toEqual([{ op: 'reset' }, { op: 'reset' }])
})

test('when it cannot be read what changed, the device keeps its position and comes again', async () => {
  const { open } = await world(() => Promise.reject(new Error('the store does not answer')))
  const device = await open()
  device.say({ op: 'resume', position: Hello.parse(device.frames[0]).position })
  await until('the close', () => device.closed())
  expect(device.closed()).toBe(CLOSE.restart)
})

test('a reader that takes nothing is told that it lags, in bounded memory, and may resume again', async () => {
  const many = Array.from({ length: 4_000 }, (_, i) => change(`e-${i}`, '2026-11-20T11:59:59.000Z'))
  const asked: number[] = []
  const { open, clock } = await world(async (_, since) => {
    asked.push(since)
    return many
  })
  const device = await open({ capacity: 200_000 })
  const { position } = Hello.parse(device.frames[0])
  device.say({ op: 'resume', position })
  await soon()
  expect(device.ofOp('event').length).toBeLessThan(1_000)
  await clock.advance(11_000)
  const lagged = Lagged.parse(device.frames.at(-1))
  device.read()
  device.say({ op: 'resume', position: lagged.position })
  await until('all of it', () => device.ofOp('resumed')[0])
  expect(new Set(device.ofOp('event').map(f => EventFrame.parse(f).id)).size).toBe(4_000)
  // The place that it is told is that of the replay which it did not read, so that the rest comes, too.
  expect(asked).toEqual([START - 10_000, START - 10_000])
})

test('a position from before the clock was set back is answered with a reset, until no later change can have an earlier time', async () => {
  const { open, clock } = await world(async () => [])
  const { position } = Hello.parse((await open()).frames[0])
  clock.stepWall(-30_000)
  const resumed = async (from: string) => {
    const device = await open()
    device.say({ op: 'resume', position: from })
    const { op } = await until('an answer', () => device.frames[1])
    return op
  }
  expect(await resumed(position)).toBe('reset')
  // Its time comes again, and what was said between the two is still stamped with times before it.
  await clock.advance(60_000)
  expect(await resumed(position)).toBe('reset')
  const { position: later } = Hello.parse((await open()).frames[0])
  await clock.advance(60_000)
  expect(await resumed(later)).toBe('resumed')
})

test.each([
  ['forward by an hour', 3_600_000],
  ['back by a second', -1_000],
])('a clock that is set %s costs nobody a reset', async (_, ms) => {
  const { open, clock } = await world(async () => [])
  const { position } = Hello.parse((await open()).frames[0])
  clock.stepWall(ms)
  const device = await open()
  device.say({ op: 'resume', position })
  await until('the end of the replay', () => device.ofOp('resumed')[0])
})

test.each([
  ['a little ahead', 4_000, 'resumed'],
  ['far ahead', 30_000, 'reset'],
])('a position of an edge whose clock is %s is answered so that nothing is lost', async (_, ms, op) => {
  const there = await world(async () => [], virtualClock(START + ms))
  const here = await world(async () => [])
  const { position } = Hello.parse((await there.open()).frames[0])
  const device = await here.open()
  device.say({ op: 'resume', position })
  const answer = await until('an answer', () => device.frames[1])
  expect(answer.op).toBe(op)
})

test('a change that a host stamped with a time to come does not carry the device past what comes until then', async () => {
  const asked: number[] = []
  const { open } = await world(async (_, since) => {
    asked.push(since)
    return [change('e-1', '2026-11-20T12:01:00.000Z')]
  })
  const device = await open()
  device.say({ op: 'resume', position: Hello.parse(device.frames[0]).position })
  const event = EventFrame.parse(await until('the change', () => device.ofOp('event')[0]))
  device.say({ op: 'resume', position: event.position })
  await until('the second replay', () => device.ofOp('resumed')[1])
  expect(asked).toEqual([START - 10_000, START - 10_000])
})
