import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { CLOSE, ReplyFrame } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { type Edge, startEdge } from '../edge.ts'
import { optionsFor } from '../testing/edge.ts'
import { newPool } from '../testing/pool.ts'

/** Floods over real sockets: the library answers pings itself and reads many frames of a packet before anybody else has a turn. */

const pool = newPool()
let edge: Edge
beforeAll(async () => {
  edge = await startEdge(optionsFor({ pool, config: { EMBEDDED: 'true', WRITES_PER_SECOND: '1' } }).options)
})
afterAll(() => edge.drain())

const open = async (token = pool.token(randomUUID())) => {
  const socket = new WebSocket(edge.streamUrl, 'dailygrind.v1', { headers: { authorization: `Bearer ${token}` } })
  const frames: unknown[] = []
  let code: number | undefined
  socket.on('message', data => frames.push(JSON.parse(String(data))))
  socket.on('close', closed => {
    code = closed
  })
  // A flood meets a closed connection at its end.
  socket.on('error', () => {})
  await once(socket, 'open')
  return { socket, frames, closed: () => code, end: () => socket.terminate() }
}
const get = async (token: string) => (await fetch(`${edge.url}/v1/timeline`, { headers: { authorization: `Bearer ${token}` } })).status

describe.each(['ping', 'pong'] as const)('a flood of %ss', kind => {
  test('ends its socket, and costs nobody else theirs or an answer', async () => {
    const token = pool.token(randomUUID())
    const [wild, own, other] = [await open(token), await open(token), await open()]
    for (let i = 0; i < 2_000; i++) wild.socket[kind]()
    expect(await get(pool.token(randomUUID()))).toBe(404)
    expect(await until('the close', () => wild.closed())).toBe(CLOSE.budget)
    expect([own.closed(), other.closed()]).toEqual([undefined, undefined])
    const pong = once(own.socket, 'pong')
    own.socket.ping()
    await pong
    for (const socket of [own, other]) socket.end()
  })
})

test('520 messages in one packet are each answered, and the socket stays', async () => {
  const { socket, frames, closed, end } = await open()
  for (let i = 0; i < 520; i++) socket.send(JSON.stringify({ op: 'send', id: `m-${i}`, type: 'nope', data: {} }))
  await until('a reply to each', () => (frames.length === 521 ? true : undefined))
  const replies = frames.slice(1).map(frame => ReplyFrame.parse(frame))
  expect(new Set(replies.map(r => r.id)).size).toBe(520)
  const refused = replies.filter(r => r.status === 429)
  // One a second comes back into the budget meanwhile.
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThanOrEqual(120)
  expect([closed(), refused.every(r => r.retryAfter !== undefined)]).toEqual([undefined, true])
  end()
})

test('the 21st socket of a person is told why before anything else, and there is room again when one goes', async () => {
  const token = pool.token(randomUUID())
  const devices = []
  for (let i = 0; i < 20; i++) devices.push(await open(token))
  const late = await open(token)
  expect([await until('the close', () => late.closed()), late.frames]).toEqual([CLOSE.budget, []])
  devices[0]?.end()
  await until('room', async () => {
    const again = await open(token)
    await until('its greeting or its end', () => again.frames[0] ?? again.closed())
    if (again.closed() === undefined) devices.push(again)
    return again.closed() === undefined ? true : undefined
  })
  expect(devices.slice(1).map(d => d.closed())).toEqual(devices.slice(1).map(() => undefined))
  for (const device of devices) device.end()
})
