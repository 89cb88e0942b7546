import { z } from 'zod'
import type { Accept, Socket, SocketListener } from '../request.ts'
import { request, type Sent } from './edge.ts'

/**
 * A device without a network: what the edge sends it, and what it says.
 * @param capacity how many bytes wait for it while it reads nothing; `hello`: the greeting and not a byte more
 */
export const connect = async (
  accept: Accept,
  { protocols, capacity, ...sent }: Sent & { protocols?: string; capacity?: number | 'hello' } = {},
) => {
  const accepted = await accept(
    request('GET', '/v1/stream', {
      ...sent,
      headers: { ...sent.headers, ...(protocols === undefined ? {} : { 'sec-websocket-protocol': protocols }) },
    }),
  )
  const frames: z.infer<typeof Frame>[] = []
  let closed: { code: number; reason: string } | undefined
  let pings = 0
  let waiting = 0
  let reading = capacity === undefined
  let room = capacity === 'hello' ? Number.POSITIVE_INFINITY : (capacity ?? 0)
  let listener: SocketListener | undefined
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
      listener?.closed()
    },
  }
  listener = accepted.opened(socket)
  if (capacity === 'hello') room = waiting
  return {
    protocol: accepted.protocol,
    frames,
    closed: () => closed?.code,
    pings: () => pings,
    ofOp: (op: string) => frames.filter(f => f.op === op),
    say: (frame: unknown) => listener?.message(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    saysBytes: () => listener?.message(null),
    saysTooMuch: () => listener?.oversized(),
    pong: () => listener?.alive(),
    /** Reads all that waits, and from now on at once. */
    read: () => {
      reading = true
      waiting = 0
      listener?.writable()
    },
    /** The peer is gone. */
    leave: () => {
      if (closed) return
      closed = { code: 1006, reason: '' }
      listener?.closed()
    },
  }
}
const Frame = z.looseObject({ op: z.string() })
export type TestDevice = Awaited<ReturnType<typeof connect>>
