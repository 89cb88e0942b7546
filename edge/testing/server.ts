import { freePort } from '../../actors/kernel/process/free-port.ts'
import type { EdgeAnswer, EdgeRequest, Socket, Sockets } from '../request/request.ts'
import type { Listen, Times } from '../server/port.ts'

/** The opening of a socket at `STREAM_PATH`. */
export const OPENING = `GET /stream HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
export const GREETING = 'hello'

/** A frame as clients send it. @param opcode 1: text, 9: ping. Of at most 125 bytes */
export const frameOf = (opcode: number, text: string): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

/** A server without an edge above it, and what it says. Each visitor is greeted, as soon as it is accepted. */
export const startServer = async (
  listen: Listen,
  handle: (request: EdgeRequest) => Promise<Partial<EdgeAnswer>> = async () => ({}),
  times: Partial<Times> = {},
) => {
  const requests: EdgeRequest[] = []
  const counts = { accepted: 0, opened: 0, closed: 0, abandoned: 0, alive: 0, writable: 0 }
  const visitors: Socket[] = []
  const said: (string | null)[] = []
  let accepting: Promise<void> | undefined
  const sockets: Sockets<object> = {
    protocol: () => undefined,
    accept: async () => {
      counts.accepted++
      await accepting
      return {}
    },
    abandoned: () => void counts.abandoned++,
    opened: (_, socket) => {
      counts.opened++
      visitors.push(socket)
      socket.send([GREETING])
    },
    message: (_, text) => void said.push(text),
    alive: () => void counts.alive++,
    writable: () => void counts.writable++,
    closed: () => void counts.closed++,
  }
  const server = await listen({
    host: '127.0.0.1',
    port: await freePort('127.0.0.1'),
    handle: async request => {
      requests.push(request)
      return { status: 200, headers: {}, body: 'done', ...(await handle(request)) }
    },
    sockets,
    streamPath: '/stream',
    times,
  })
  return {
    ...server,
    requests,
    visitors,
    said,
    counts,
    /** Who comes meanwhile is accepted when it has come true. */
    acceptAfter: (fact: Promise<void>) => {
      accepting = fact
    },
  }
}
export type TestServer = Awaited<ReturnType<typeof startServer>>
