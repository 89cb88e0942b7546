import { z } from 'zod'
import type { Socket, Sockets } from '../request/request.ts'
import { request, type Sent } from './edge.ts'

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
  const frames: z.infer<typeof Frame>[] = []
  let closed: { code: number; reason: string } | undefined
  let pings = 0
  let waiting = 0
  let reading = capacity === undefined
  let room = capacity === 'hello' ? Number.POSITIVE_INFINITY : (capacity ?? 0)
  const socket: Socket = {
    send: given => {
      if (closed) return 'dropped'
      let result: 'sent' | 'slow' | 'dropped' = 'sent'
      for (const frame of given) {
        const text = typeof frame === 'string' ? frame : Buffer.from(frame).toString()
        if (!reading && waiting + text.length > room) {
          result = 'dropped'
          continue
        }
        if (!reading) {
          waiting += text.length
          if (result === 'sent') result = 'slow'
        }
        frames.push(Frame.parse(JSON.parse(text)))
      }
      return result
    },
    waiting: () => waiting,
    ping: () => {
      pings++
    },
    close: (code, reason) => {
      if (closed) return
      closed = { code, reason }
      sockets.closed(visitor)
    },
  }
  sockets.opened(visitor, socket)
  if (capacity === 'hello') room = waiting
  return {
    protocol,
    frames,
    closed: () => closed?.code,
    pings: () => pings,
    ofOp: (op: string) => frames.filter(f => f.op === op),
    say: (frame: unknown) => sockets.message(visitor, typeof frame === 'string' ? frame : JSON.stringify(frame)),
    saysBytes: () => sockets.message(visitor, null),
    pong: () => sockets.alive(visitor),
    /** Reads all that waits, and from now on at once. */
    read: () => {
      reading = true
      waiting = 0
      sockets.writable(visitor)
    },
    /** The peer is gone. */
    leave: () => {
      if (closed) return
      closed = { code: 1006, reason: '' }
      sockets.closed(visitor)
    },
  }
}
const Frame = z.looseObject({ op: z.string() })
