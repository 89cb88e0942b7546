import { freePort } from '../../actors/kernel/process/free-port.ts'
import { chooseServer, type ServerName } from '../../edge/server/choose.ts'

/*
 * One of the edge's servers, with nothing above it: a process that `servers.ts` forks. It answers every request with a small document and keeps sockets that
 * say nothing. Asked for `usage`, it tells what it has used of CPU and memory.
 */
export type Usage = { readonly cpuMs: number; readonly rssBytes: number }

const ANSWER = JSON.stringify({ id: '0190a000-0000-7000-8000-000000000001', title: 'x'.repeat(300) })

const wanted = (name: string | undefined): ServerName => (name === 'uws' ? 'uws' : 'node')

const { listen } = await chooseServer(wanted(process.argv[2]))
const { port, close } = await listen({
  host: '127.0.0.1',
  port: await freePort('127.0.0.1'),
  handle: async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: ANSWER }),
  sockets: {
    protocol: () => undefined,
    accept: async () => ({}),
    abandoned: () => {},
    opened: (_, socket) => void socket.send(['{"op":"hello"}']),
    message: () => {},
    alive: () => {},
    writable: () => {},
    closed: () => {},
  },
  streamPath: '/v1/stream',
})
process.on('message', () => {
  globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() } satisfies Usage)
})
process.on('disconnect', close)
process.send?.(port)
