import { afterEach, expect, test } from 'vitest'
import type { EdgeListener } from '../actors/kernel/backplane/port.ts'
import { virtualClock } from '../actors/kernel/clock/virtual.ts'
import { EventFrame, Lagged } from '../contracts/stream.ts'
import { until } from '../test/until.ts'
import { memoryPorts, testEdge } from './testing/edge.ts'
import { connect } from './testing/socket.ts'

const START = Date.parse('2026-11-20T12:00:00.000Z')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

test('when the backplane was away every device is told since when it may have missed something, and resumes there', async () => {
  const clock = virtualClock(START)
  const ports = memoryPorts()
  let listener: EdgeListener | undefined
  const backplane: typeof ports.backplane = {
    ...ports.backplane,
    join: (edge, hears) => {
      listener = hears
      return ports.backplane.join(edge, hears)
    },
  }
  const asked: number[] = []
  const it = await testEdge({
    clock,
    ports: { ...ports, backplane },
    changes: async (_, since) => {
      asked.push(since)
      return []
    },
  })
  cleanups.push(it.edge.close)
  const token = it.pool.token(it.user, { expiresIn: 86_400 })
  const devices = [await connect(it.edge.sockets, { token }), await connect(it.edge.sockets, { token })]
  await clock.advance(30_000)
  listener?.missed?.(START + 20_000)
  for (const [n, device] of devices.entries()) {
    const { position } = Lagged.parse(await until('the word of it', () => device.ofOp('lagged')[0]))
    device.say({ op: 'resume', position })
    await until('the end of the replay', () => device.ofOp('resumed')[0])
    // A little earlier: what was on its way by then, too.
    expect(asked[n]).toBe(START + 10_000)
  }
  const frame = { id: 'e-1', type: 'user.updated', at: new Date(clock.now()).toISOString(), data: {}, to: [it.user] }
  await ports.backplane.deliver(it.edge.name, [frame])
  for (const device of devices) expect(EventFrame.parse(await until('events go on', () => device.ofOp('event')[0])).id).toBe('e-1')
})
