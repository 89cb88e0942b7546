import { afterEach, describe, expect, test } from 'vitest'
import type { EdgeListener } from '../../actors/kernel/ports/backplane/port.ts'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { EventFrame, Lagged } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { memoryPorts, testEdge } from '../testing/edge.ts'
import { connect } from '../testing/socket.ts'
import type { Change } from './resume.ts'

const START = Date.parse('2026-11-20T12:00:00.000Z')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const gate = () => {
  let open: () => void = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open: () => open(), opened }
}

/** An edge whose backplane says that word was lost. `asked`: since when it read what changed. */
const world = async ({ reading, seating }: { reading?: () => Promise<unknown>; seating?: Promise<void> } = {}) => {
  const clock = virtualClock(START)
  const ports = memoryPorts()
  let listener: EdgeListener | undefined
  const backplane: typeof ports.backplane = {
    ...ports.backplane,
    join: async (edge, hears) => {
      listener = hears
      const seat = await ports.backplane.join(edge, hears)
      return { ...seat, present: async user => seat.present(user).then(() => seating) }
    },
  }
  const asked: number[] = []
  const changes = async (_read: unknown, _by: string, since: number): Promise<readonly Change[]> => {
    asked.push(since)
    await reading?.()
    return []
  }
  const it = await testEdge({ clock, ports: { ...ports, backplane }, changes, config: { SOCKETS_PER_USER: '150' } })
  cleanups.push(it.edge.close)
  const token = it.pool.token(it.user, { expiresIn: 86_400 })
  const tell = (id: string) =>
    ports.backplane.deliver(it.edge.name, [{ id, type: 'user.updated', at: new Date(clock.now()).toISOString(), data: {}, to: [it.user] }])
  const missed = (since: number) => listener?.missed?.(since)
  return { clock, asked, missed, tell, open: (more = {}) => connect(it.edge.sockets, { token, ...more }) }
}
type Connected = Awaited<ReturnType<typeof connect>>
const laggedOf = async (device: Connected, n = 1) => Lagged.parse(await until('the word of it', () => device.ofOp('lagged')[n - 1]))
const eventsOf = (device: Connected) => device.ofOp('event').map(f => EventFrame.parse(f).id)
const soon = async () => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}

test('when the backplane was away every device is told since when it may have missed something, and resumes there', async () => {
  const { clock, asked, missed, tell, open } = await world()
  const devices = [await open(), await open()]
  await clock.advance(30_000)
  missed(START + 20_000)
  await clock.advance(100)
  for (const [n, device] of devices.entries()) {
    const { position } = await laggedOf(device)
    device.say({ op: 'resume', position })
    await until('the end of the replay', () => device.ofOp('resumed')[0])
    // A little earlier: what was on its way by then, too.
    expect(asked[n]).toBe(START + 10_000)
  }
  await tell('e-1')
  for (const device of devices) expect(EventFrame.parse(await until('events go on', () => device.ofOp('event')[0])).id).toBe('e-1')
})

test('gaps that follow each other are told as one, from the earliest, and not to all devices at once', async () => {
  const { clock, asked, missed, open } = await world()
  const devices = await Promise.all(Array.from({ length: 150 }, () => open()))
  await clock.advance(30_000)
  missed(START + 20_000)
  missed(START + 15_000)
  missed(START + 25_000)
  const toldBy = () => devices.flatMap(d => d.ofOp('lagged')).length
  await clock.advance(100)
  expect(toldBy()).toBe(100)
  await clock.advance(100)
  expect(toldBy()).toBe(150)
  await clock.advance(10_000)
  expect(toldBy()).toBe(150)
  for (const device of devices) device.say({ op: 'resume', position: (await laggedOf(device)).position })
  await until('the reads', () => (asked.length === 150 ? true : undefined))
  expect(new Set(asked)).toEqual(new Set([START + 5_000]))
})

test('from the word of a gap on no event comes, although the device has not been told of it yet', async () => {
  const { clock, missed, tell, open } = await world()
  const device = await open()
  await tell('on its way')
  missed(START)
  await tell('after')
  await clock.advance(100)
  // A position that said that it had heard all would have been the last that it knew, had it been lost just then.
  expect(device.frames.map(f => f.op)).toEqual(['hello', 'lagged'])
})

test('a device that is only being let in when word was lost hears what comes after its greeting', async () => {
  const seating = gate()
  const { clock, missed, tell, open } = await world({ seating: seating.opened })
  const opening = open()
  await soon()
  missed(START)
  await clock.advance(100)
  seating.open()
  const device = await opening
  await tell('e-1')
  expect(EventFrame.parse(await until('the event', () => device.ofOp('event')[0])).id).toBe('e-1')
  expect(device.frames.map(f => f.op)).toEqual(['hello', 'event'])
})

test('a gap during a replay is told when it is over, and nothing overtakes the next one', async () => {
  const readings = [gate(), gate(), gate()]
  let read = 0
  const { clock, asked, missed, tell, open } = await world({ reading: () => readings[read++]?.opened ?? Promise.resolve() })
  const device = await open()
  missed(START)
  await clock.advance(100)
  device.say({ op: 'resume', position: (await laggedOf(device)).position })
  await tell('kept back')
  await soon()
  await clock.advance(5_000)
  missed(START + 4_000)
  await clock.advance(1_000)
  expect(device.ofOp('lagged').length).toBe(1)
  readings[0]?.open()
  const { position } = await laggedOf(device, 2)
  device.say({ op: 'resume', position })
  await soon()
  await tell('live')
  await soon()
  expect(eventsOf(device)).toEqual([])
  readings[1]?.open()
  await until('the live event', () => device.ofOp('event')[0])
  expect(device.frames.map(f => f.op)).toEqual(['hello', 'lagged', 'resumed', 'lagged', 'resumed', 'event'])
  // From before what was kept back during the first.
  expect(asked).toEqual([START - 10_000, START - 9_900])
})

test('who asks again during a replay is brought up to date after it, from the earliest place it named', async () => {
  const readings = [gate(), gate()]
  let read = 0
  const { clock, asked, tell, open } = await world({ reading: () => readings[read++]?.opened ?? Promise.resolve() })
  const device = await open()
  const positions = [device]
  for (const _ of [1, 2]) {
    await clock.advance(20_000)
    positions.push(await open())
  }
  const [first, second, third] = positions.map(d => d.frames[0]?.position)
  device.say({ op: 'resume', position: third })
  for (const position of [second, first, third]) device.say({ op: 'resume', position })
  await tell('live')
  readings[0]?.open()
  await until('the end of the first', () => device.ofOp('resumed')[0])
  await soon()
  expect(eventsOf(device)).toEqual([])
  readings[1]?.open()
  await until('the live event', () => device.ofOp('event')[0])
  expect(device.frames.slice(1).map(f => f.op)).toEqual(['resumed', 'resumed', 'event'])
  expect(asked).toEqual([START + 30_000, START - 10_000])
})

test('who can be told only later that it lags is told since when', async () => {
  const { clock, asked, tell, open } = await world()
  const device = await open({ capacity: 'hello' })
  await tell('no room')
  await soon()
  await clock.advance(20_000)
  await tell('none either')
  await soon()
  device.read()
  device.say({ op: 'resume', position: (await laggedOf(device)).position })
  await until('the end of the replay', () => device.ofOp('resumed')[0])
  expect(asked).toEqual([START - 10_000])
})

describe('a device whose presence the backplane does not take', () => {
  /** An edge whose backplane takes a presence as `taking` says. */
  const refusing = async (taking: () => Promise<void>) => {
    const clock = virtualClock(START)
    const ports = memoryPorts()
    const join: typeof ports.backplane.join = async (edge, hears) => {
      const seat = await ports.backplane.join(edge, hears)
      return { ...seat, present: user => taking().then(() => seat.present(user)) }
    }
    const it = await testEdge({ clock, ports: { ...ports, backplane: { ...ports.backplane, join } }, changes: async () => [] })
    cleanups.push(it.edge.close)
    const token = it.pool.token(it.user, { expiresIn: 86_400 })
    return { clock, open: () => connect(it.edge.sockets, { token }) }
  }
  const ops = (device: Connected) => device.frames.map(f => f.op)

  test('is greeted and told at once that it lags, and once more when it is known', async () => {
    let full = true
    const { clock, open } = await refusing(async () => {
      if (full) throw new Error('OOM command not allowed')
    })
    const [one, two] = [await open(), await open()]
    expect([ops(one), ops(two)]).toEqual([
      ['hello', 'lagged'],
      ['hello', 'lagged'],
    ])
    one.say({ op: 'resume', position: Lagged.parse(one.frames[1]).position })
    await until('the end of the replay', () => one.ofOp('resumed')[0])
    full = false
    expect(ops(await open())).toEqual(['hello'])
    await clock.advance(200)
    expect(ops(one)).toEqual(['hello', 'lagged', 'resumed', 'lagged'])
    expect(ops(two).slice(0, 3)).toEqual(['hello', 'lagged', 'lagged'])
  })

  test('is told so too where no word of it comes within a moment', async () => {
    const held = gate()
    const { clock, open } = await refusing(() => held.opened)
    const opening = open()
    await clock.advance(1_000)
    const device = await opening
    expect(ops(device)).toEqual(['hello', 'lagged'])
    held.open()
    await soon()
    await clock.advance(200)
    expect(ops(device)).toEqual(['hello', 'lagged', 'lagged'])
  })
})
