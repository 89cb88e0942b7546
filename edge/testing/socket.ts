import { z } from 'zod'
import type { Socket, Sockets } from '../request/request.ts'
import { request, type Sent } from './edge.ts'

/** The end of a socket that a client holds. @param capacity how many bytes wait for it while it reads nothing; by default it reads at once */
const clientEnd = (capacity: number | undefined, onClosed: () => void) => {
  const frames: z.infer<typeof Frame>[] = []
  let closed: { code: number; reason: string } | undefined
  let pings = 0
  let waiting = 0
  let reading = capacity === undefined
  let room = capacity ?? 0
  const end = (code: number, reason: string) => {
    if (closed) return
    closed = { code, reason }
    onClosed()
  }
  const take = (text: string): 'sent' | 'slow' | 'dropped' => {
    if (!reading && waiting + text.length > room) return 'dropped'
    if (!reading) waiting += text.length
    frames.push(Frame.parse(JSON.parse(text)))
    return reading ? 'sent' : 'slow'
  }
  const socket: Socket = {
    send: given => {
      if (closed) return 'dropped'
      const results = given.map(frame => take(typeof frame === 'string' ? frame : Buffer.from(frame).toString()))
      return results.includes('dropped') ? 'dropped' : results.includes('slow') ? 'slow' : 'sent'
    },
    waiting: () => waiting,
    ping: () => {
      pings++
    },
    close: end,
  }
  return {
    socket,
    frames,
    closed: () => closed?.code,
    pings: () => pings,
    /** No more bytes than those that wait already have room. */
    fill: () => {
      room = waiting
    },
    /** Reads all that waits, and from now on at once. */
    read: () => {
      reading = true
      waiting = 0
    },
    leave: () => end(1006, ''),
  }
}

/**
 * A device without a network: what the edge sends it, and what it says.
 * @param capacity how many bytes wait for it while it reads nothing; `hello`: the greeting and not a byte more
 */
export const connect = async <V>(
  sockets: Sockets<V>,
  { protocols, capacity, ...sent }: Sent & { protocols?: string; capacity?: number | 'hello' } = {},
) => {
  const opening = request('GET', '/v1/stream', {
    ...sent,
    headers: { ...sent.headers, ...(protocols === undefined ? {} : { 'sec-websocket-protocol': protocols }) },
  })
  const protocol = sockets.protocol(opening)
  const visitor = await sockets.accept(opening)
  const client = clientEnd(capacity === 'hello' ? Number.POSITIVE_INFINITY : capacity, () => sockets.closed(visitor))
  const { socket, frames, closed, pings } = client
  sockets.opened(visitor, socket)
  if (capacity === 'hello') client.fill()
  return {
    protocol,
    frames,
    closed,
    pings,
    ofOp: (op: string) => frames.filter(f => f.op === op),
    say: (frame: unknown) => sockets.message(visitor, typeof frame === 'string' ? frame : JSON.stringify(frame)),
    saysBytes: () => sockets.message(visitor, null),
    pong: () => sockets.alive(visitor),
    /** Reads all that waits, and from now on at once. */
    read: () => {
      client.read()
      sockets.writable(visitor)
    },
    /** The peer is gone. */
    leave: client.leave,
  }
}
const Frame = z.looseObject({ op: z.string() })
