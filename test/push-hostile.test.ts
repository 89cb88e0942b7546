import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { httpTransport, PATIENCE, type Transport } from '../actors/push/send/transport.ts'
import { type PushService, startPushService } from './push-service.ts'
import { until } from './until.ts'

/** What a push service can do with a connection, below HTTP: each try ends in its time, with little memory, and others get their answers meanwhile. */

const QUICK = { ...PATIENCE, connectMs: 400, headersMs: 400, bodyMs: 400 }
/** All that a try may take, and something for a machine that is busy. */
const LONGEST_MS = QUICK.connectMs + QUICK.headersMs + QUICK.bodyMs + 1_500
const AT_ONCE = 8
const MOST_BYTES = 150 * 1024 * 1024

let server: Server | undefined
let service: PushService | undefined
let http: Transport | undefined
const sockets = new Set<Socket>()
afterEach(async () => {
  await http?.close()
  for (const socket of sockets) socket.destroy()
  await service?.close()
  await new Promise<void>(resolve => (server ? server.close(() => resolve()) : resolve()))
})

const listen = async (behave: (socket: Socket) => void): Promise<number> => {
  const listening = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    behave(socket)
  })
  server = listening
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  return address.port
}

/** Says something once it was asked. */
const answering = (say: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => say(socket))
  socket.resume()
}
/** Says `text` again and again: as fast as it is read, or every so many ms. */
const forEver = (socket: Socket, text: string, everyMs?: number) => {
  if (everyMs !== undefined) {
    const drip = setInterval(() => socket.write(text), everyMs)
    socket.on('close', () => clearInterval(drip))
    return
  }
  const more = () => {
    while (!socket.destroyed && socket.write(text));
    if (!socket.destroyed) socket.once('drain', more)
  }
  more()
}
const after = (start: string, text: string, everyMs?: number) =>
  answering(socket => {
    socket.write(start)
    forEver(socket, text, everyMs)
  })
const TAKEN = 'HTTP/1.1 201 Created\r\n'

type Case = readonly [what: string, behave: (socket: Socket) => void, status?: number]
const cases: readonly Case[] = [
  ['never reads', socket => void socket.pause()],
  ['never answers', answering(() => {})],
  ['hangs up at once', socket => socket.resetAndDestroy()],
  ['speaks another language', answering(socket => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'))],
  ['drips its headers', after(TAKEN, 'x-a: b\r\n', 50)],
  ['has headers without end', after(TAKEN, 'x-a: b\r\n'.repeat(1000))],
  ['has one header without end', after(`${TAKEN}x-a: `, 'a'.repeat(65_536))],
  ['has a status line without end', after('HTTP/1.1 201 ', 'C'.repeat(65_536))],
  ['is always about to answer (102)', after('', 'HTTP/1.1 102 Processing\r\n\r\n', 50)],
  ['is always about to answer (103), as fast as it can', after('', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100))],
  [
    'wants to speak something else (101)',
    after('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'x'.repeat(65_536)),
  ],
  ['closes in the middle of its headers', answering(socket => void socket.end('HTTP/1.1 201 Cre'))],
  ['drips its body', after(`${TAKEN}content-length: 1000\r\n\r\n`, 'x', 50), 201],
  ['has a body without end', after(`${TAKEN}transfer-encoding: chunked\r\n\r\n`, `1000\r\n${'x'.repeat(4096)}\r\n`), 201],
  ['has a chunk without end of its size', after(`${TAKEN}transfer-encoding: chunked\r\n\r\n5;`, 'a'.repeat(65_536)), 201],
  ['has trailers without end', after(`${TAKEN}transfer-encoding: chunked\r\n\r\n0\r\n`, 'x-t: y\r\n'.repeat(100), 10), 201],
  ['closes in the middle of its body', answering(socket => void socket.end(`${TAKEN}content-length: 100\r\n\r\nhalf`)), 201],
  ['answers twice', answering(socket => void socket.write('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n'.concat(TAKEN, '\r\n'))), 500],
]

test.each(cases.map(([what, behave, status]) => ({ what, behave, status })))('one that $what', async ({ behave, status }) => {
  const port = await listen(behave)
  service = await startPushService()
  const good = `${service.origin}/nobody`
  const transport = httpTransport(64, QUICK)
  http = transport
  const send = (endpoint: string) => transport.send({ endpoint, headers: {}, body: Buffer.alloc(3_000), anywhere: true })
  const before = process.memoryUsage().rss
  const began = performance.now()
  const tries = Array.from({ length: AT_ONCE }, async () => {
    const outcome = await send(`http://127.0.0.1:${port}/x`).then(
      answer => answer.status,
      () => undefined,
    )
    return { outcome, ms: performance.now() - began }
  })
  expect((await send(good)).status).toBe(404)
  for (const { outcome, ms } of await Promise.all(tries)) {
    expect(outcome).toBe(status)
    expect(ms).toBeLessThan(LONGEST_MS)
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES)
  expect((await send(good)).status).toBe(404)
  await transport.close()
  for (const socket of sockets) socket.resume()
  await until('no connection is left', () => (sockets.size === 0 ? true : undefined))
})

test.each([
  { what: 'never begins TLS', behave: () => {} },
  { what: 'answers TLS in plain text', behave: answering(socket => void socket.write('HTTP/1.1 201 Created\r\n\r\n')) },
])('one that $what is none', async ({ behave }) => {
  const port = await listen(behave)
  http = httpTransport(64, QUICK)
  const began = performance.now()
  const sent = http.send({ endpoint: `https://127.0.0.1:${port}/x`, headers: {}, body: Buffer.alloc(10), anywhere: true })
  await expect(sent).rejects.toThrow()
  expect(performance.now() - began).toBeLessThan(LONGEST_MS)
})
