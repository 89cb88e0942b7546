import { randomUUID } from 'node:crypto'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Envelope, Reply } from '../../contracts/declare/envelope.ts'
import { ProblemDocument } from '../../contracts/edge.ts'
import { CLOSE, Hello } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { type Edge, startEdge } from '../edge.ts'
import { fakeActor } from '../testing/actor.ts'
import { optionsFor, type TestEdgeOptions, viewsWith } from '../testing/edge.ts'
import { newPool } from '../testing/pool.ts'
import { raw } from '../testing/raw.ts'

import type { ServerName } from './choose.ts'

/**
 * What one library does otherwise than the other, by its name; nothing else may differ.
 * @property emptyFraming the status of a request with an empty Content-Length or Transfer-Encoding: uWebSockets.js reads it as none, and the body as a request;
 * a header line that begins with its colon ends the headers there, so that it sees none of what follows
 * @property cutsKeys bytes beyond ASCII at either end of a header's value are cut off before anybody sees them
 * @property tooBig how a frame past 64 KiB ends: uWebSockets.js cannot say so
 */
export type Differences = { readonly emptyFraming: number; readonly cutsKeys: boolean; readonly tooBig: number }

/** What every server does, whichever library is below it. */
export const conformance = (server: ServerName, { emptyFraming, cutsKeys, tooBig }: Differences) =>
  describe(`the edge on ${server}`, () => {
    const pool = newPool()
    const user = randomUUID()
    const authorization = `Bearer ${pool.token(user)}`
    const draft = { title: 'Hello', content: 'First day' }
    const json = { authorization, 'content-type': 'application/json' }

    const cleanups: (() => unknown)[] = []
    afterAll(async () => {
      for (const clean of cleanups.reverse()) await clean()
    })
    const start = async (
      given: TestEdgeOptions = {},
      answering: (e: Envelope) => Reply | undefined | Promise<Reply | undefined> = e => ({ status: 201, body: { id: e.id } }),
    ) => {
      const { options } = optionsFor({ pool, ...given, config: { EMBEDDED: 'true', EDGE_SERVER: server, ...given.config } })
      const edge = await startEdge(options)
      const actor = fakeActor(options.ports, 'posts.fifo', answering)
      cleanups.push(actor.stop, edge.drain)
      return { edge, actor, ports: options.ports }
    }
    let edge: Edge
    let actor: Awaited<ReturnType<typeof start>>['actor']
    beforeAll(async () => {
      ;({ edge, actor } = await start({
        views: viewsWith({ 'post.get': async () => ({ body: { title: 'ä'.repeat(1000) }, version: 1 }) }),
      }))
    })
    const POST = '/v1/posts/0190a000-0000-7000-8000-000000000001.20261120.000001'
    const ask = (path: string, init: RequestInit = {}) => fetch(`${edge.url}${path}`, init)
    const problem = async (answer: Response) => ProblemDocument.parse(await answer.json()).code

    describe('over HTTP', () => {
      test('a request becomes an answer', async () => {
        const answer = await ask('/v1/posts', { method: 'POST', headers: json, body: JSON.stringify(draft) })
        expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v1/posts/${actor.done.at(-1)?.id}`])
        expect(await answer.json()).toEqual({ id: actor.done.at(-1)?.id })
      })
      test('HEAD and 304 have the headers and no body, and the connection goes on', async () => {
        const get = await ask(POST, { headers: { authorization } })
        const length = Buffer.byteLength(await get.text())
        const client = raw(edge.port)
        const line = (method: string, more = '') =>
          `${method} ${POST} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${more}\r\n`
        client.say(line('HEAD'))
        const head = await client.until(t => t.includes('\r\n\r\n'))
        expect(head).toContain('HTTP/1.1 200 OK')
        expect(head.toLowerCase()).toContain(`content-length: ${length}\r\n`)
        expect(head.split('\r\n\r\n')[1]).toBe('')
        client.say(line('GET', `if-none-match: ${get.headers.get('etag')}\r\n`))
        expect(await client.until(t => t.split('\r\n\r\n').length > 2)).toContain('304 Not Modified')
        client.say(line('GET'))
        expect(await client.until(t => t.includes('ää') || t.includes('\xc3\xa4'))).toMatch(/304[\s\S]*200 OK/)
        client.end()
      })
      test('a body that is too large is refused before any work, by its length and while it streams', async () => {
        const before = actor.taken.length
        const declared = await ask('/v1/posts', { method: 'POST', headers: json, body: 'x'.repeat(70_000) })
        expect([declared.status, await problem(declared)]).toEqual([413, 'body-too-large'])
        const client = raw(edge.port)
        client.say(`POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ntransfer-encoding: chunked\r\n\r\n`)
        const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
        for (let i = 0; i < 5; i++) client.say(chunk)
        expect(await client.until(t => t.includes('\r\n\r\n'))).toContain('413 Payload Too Large')
        client.say('0\r\n\r\n')
        client.say('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
        expect(await client.until(t => t.includes('"ok"'))).toContain('200 OK')
        client.end()
        const huge = raw(edge.port)
        huge.say('POST /v1/posts HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999999\r\n\r\n')
        expect(await huge.until(t => t.includes('\r\n\r\n'))).toContain('413 Payload Too Large')
        huge.end()
        expect(actor.taken.length).toBe(before)
      })
      test('a body of just the limit is read, also in pieces', async () => {
        const text = JSON.stringify(draft)
        const exact = await ask('/v1/posts', { method: 'POST', headers: json, body: text.padEnd(65_536) })
        expect(exact.status).toBe(201)
        const client = raw(edge.port)
        client.say(
          `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
        )
        for (const piece of text.match(/.{1,7}/gs) ?? []) client.say(`${piece.length.toString(16)}\r\n${piece}\r\n`)
        client.say('0\r\n\r\n')
        expect(await client.until(t => t.includes('\r\n\r\n'))).toContain('201 Created')
        client.end()
      })
      test('what is no proper request gets no work done', async () => {
        const before = actor.taken.length
        const lines = [
          `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 5\r\ncontent-length: 40\r\n\r\n${JSON.stringify(draft)}`,
          `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
          'POST /v1/posts HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n',
          'GET /v1/timeline\0 HTTP/1.1\r\nhost: x\r\n\r\n',
          'GET http://evil.test/ HTTP/1.1\r\nhost: x\r\n\r\n',
          'NONSENSE\r\n\r\n',
          '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
        ]
        for (const line of lines) {
          const client = raw(edge.port)
          client.say(line)
          const text = await client.until(t => t.includes('\r\n\r\n'))
          expect(text === '' || /^HTTP\/1\.1 (4|5)\d\d /.test(text), JSON.stringify([line.slice(0, 60), text.slice(0, 60)])).toBe(true)
          client.end()
        }
        expect(actor.taken.length).toBe(before)
        expect((await ask('/health/live')).status).toBe(200)
      })
      test('what could be taken for another message, or expects what is not met, ends the connection with its refusal, and what follows it is not begun', async () => {
        const before = actor.taken.length
        const head = `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n`
        const body = JSON.stringify(draft)
        const sized = `content-length: ${body.length}\r\n\r\n${body}`
        const chunks = `\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        const refused: [string, number][] = [
          ...['xchunked', 'chunked, identity', 'identity', 'gzip', 'chunked;q=1', 'chunked,', 'chunked, chunked', '"chunked"'].map(
            (coding): [string, number] => [`${head}transfer-encoding: ${coding}\r\n${chunks}`, 400],
          ),
          [`${head}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n${chunks}`, 400],
          [`${head}transfer-encoding: gzip, chunked\r\n${chunks}`, 501],
          [`${head}transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n${chunks}`, 501],
          [`${head}transfer-encoding:\r\n${sized}`, 400],
          [`${head}transfer-encoding:\r\n${chunks}`, emptyFraming],
          [`${head}content-length:\r\n${sized}`, emptyFraming],
          [`${head}content-length: ${body.length}\r\n${sized}`, 400],
          [`${head}host: y\r\n${sized}`, 400],
          [`${head}: y\r\n${sized}`, emptyFraming],
          [`${head}expect: the-spanish-inquisition\r\n${sized}`, 417],
        ]
        for (const [sent, status] of refused) {
          const client = raw(edge.port)
          client.say(sent)
          const text = await client.until(() => false)
          expect([text.slice(0, 12), /\r\nconnection: close\r\n/i.test(text)], JSON.stringify(sent.slice(150))).toEqual([
            `HTTP/1.1 ${status}`,
            true,
          ])
          const greedy = raw(edge.port)
          greedy.say(`${sent}${head}${sized}`)
          await greedy.until(() => false)
        }
        const plain = raw(edge.port)
        plain.say(`${head}transfer-encoding: CHUNKED\r\nexpect: 100-Continue\r\n${chunks}`)
        expect(await plain.until(t => t.includes('201 Created'))).toContain('201 Created')
        plain.end()
        expect(actor.taken.length).toBe(before + 1)
      })
      test('bytes beyond ASCII in an address are refused, and so is a key that has them', async () => {
        const before = actor.taken.length
        for (const target of ['/v1/posts/\xe4', '/v1/users?q=\xe4', '/v1/users?q=\xc3\xa4', '/v1/posts\x7f']) {
          const client = raw(edge.port)
          client.say(Buffer.from(`GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`, 'latin1'))
          expect(await client.until(t => t.includes('\r\n\r\n')), target).toContain('HTTP/1.1 400')
          client.end()
        }
        for (const key of ['a\xe4b', 'a\xc3\xa4b', 'a\x7f', 'a b', 'a\tb', '', ...(cutsKeys ? [] : ['ab\xe4', '\xe4ab', 'ab\xc3\xa4'])]) {
          const client = raw(edge.port)
          client.say(
            Buffer.from(
              `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\nidempotency-key: ${key}\r\ncontent-length: 2\r\n\r\n{}`,
              'latin1',
            ),
          )
          expect(await client.until(t => t.includes('\r\n\r\n')), key).toMatch(/HTTP\/1\.1 4(00|22)/)
          client.end()
        }
        expect(actor.taken.length).toBe(before)
      })
      test('a large answer reaches a slow reader whole', async () => {
        const title = 'ä😀'.repeat(2_000_000)
        const own = await start({ views: viewsWith({ 'post.get': async () => ({ body: { title } }) }) })
        const answer = await fetch(`${own.edge.url}${POST}`, { headers: { authorization } })
        expect((await answer.text()) === JSON.stringify({ title })).toBe(true)
      })
      test('who asks for a page again and again and reads nothing gets no more of it, and memory stays as it is', async () => {
        const registry = new Registry()
        const own = await start({ registry })
        const client = raw(own.edge.port)
        client.pause()
        const before = process.memoryUsage().rss
        client.say('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5_000))
        const given = async () => Number(/route="GET \/openapi.json",status="200"\} (\d+)/.exec(await registry.metrics())?.[1] ?? 0)
        await until('the first answer', async () => (await given()) || undefined)
        // What came before this is dealt with.
        for (let i = 0; i < 20; i++) expect((await fetch(`${own.edge.url}/health/live`)).status).toBe(200)
        expect(await given()).toBeLessThan(500)
        expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
        client.end()
      })
      test('a request behind one that is not answered yet ends the connection, and is not begun', async () => {
        let release: () => void = () => {}
        const held = new Promise<void>(resolve => {
          release = resolve
        })
        const own = await start({}, async e => held.then(() => ({ status: 201, body: { id: e.id } })))
        const line = (title: string) => {
          const body = JSON.stringify({ ...draft, title })
          return `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
        }
        const client = raw(own.edge.port)
        client.say(line('first') + line('second'))
        expect(await client.until(() => false)).toBe('')
        release()
        await until('the first', () => own.actor.done[0])
        expect((await fetch(`${own.edge.url}/health/live`)).status).toBe(200)
        expect(own.actor.taken.map(e => e.data)).toMatchObject([{ title: 'first' }])
      })
      test('a header that comes twice is not taken for one of them', async () => {
        const client = raw(edge.port)
        client.say(`GET ${POST} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nauthorization: Bearer x\r\n\r\n`)
        expect(await client.until(t => t.includes('\r\n\r\n'))).toContain('401 Unauthorized')
        client.end()
      })
      test('strange paths find nothing', async () => {
        for (const path of [
          '//v1/timeline',
          '/v1/../v1/timeline',
          '/v1/timeline/',
          '/v1/posts/%2e%2e/like',
          '/%00',
          `/${'a'.repeat(2000)}`,
          '/v1/posts/%ZZ',
        ]) {
          const client = raw(edge.port)
          client.say(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`)
          expect(await client.until(t => t.includes('\r\n\r\n')), path).toMatch(/HTTP\/1\.1 40[45] /)
          client.end()
        }
      })
      test('who leaves before the answer costs nothing, and the work is done', async () => {
        let release: () => void = () => {}
        const held = new Promise<void>(resolve => {
          release = resolve
        })
        const own = await start({}, async e => held.then(() => ({ status: 201, body: { id: e.id } })))
        const leaving = new AbortController()
        const call = fetch(`${own.edge.url}/v1/posts`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify(draft),
          signal: leaving.signal,
        })
        await until('the message', () => own.actor.taken[0])
        leaving.abort()
        await expect(call).rejects.toThrow()
        const halfway = raw(own.edge.port)
        halfway.say(`POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 100\r\n\r\nhalf`)
        halfway.end()
        release()
        await until('the work', () => own.actor.done[0])
        expect((await fetch(`${own.edge.url}/health/live`)).status).toBe(200)
        expect(own.actor.taken.length).toBe(1)
      })
    })

    test('the metrics say which library serves', async () => {
      const registry = new Registry()
      await start({ registry })
      expect(await registry.metrics()).toContain(`dailygrind_edge_server{server="${server}",why="EDGE_SERVER says so"} 1`)
    })
    test('a port that is in use is an error that names it', async () => {
      const { options } = optionsFor({ pool, config: { PORT: String(edge.port), EDGE_SERVER: server } })
      await expect(startEdge(options)).rejects.toThrow(String(edge.port))
    })

    describe('over a WebSocket', () => {
      const open = (of: Edge, token = pool.token(user), headers: Record<string, string> = {}) => {
        const socket = new WebSocket(of.streamUrl, ['dailygrind.v1', `bearer.${token}`], { headers })
        const frames: unknown[] = []
        let closed: number | undefined
        socket.on('message', data => frames.push(JSON.parse(String(data))))
        socket.on('close', code => {
          closed = code
        })
        socket.on('error', () => {})
        cleanups.push(() => socket.terminate())
        return {
          socket,
          frames,
          closed: () => until('the close', () => closed),
          frame: (n: number) => until(`frame ${n}`, () => frames[n]),
        }
      }

      test('hello comes first, events and replies after it', async () => {
        const { edge, ports } = await start()
        const device = open(edge)
        expect(Hello.parse(await device.frame(0)).op).toBe('hello')
        expect(device.socket.protocol).toBe('dailygrind.v1')
        const [name] = (await ports.backplane.online([user])).get(user) ?? []
        await ports.backplane.deliver(name ?? '', [
          { id: 'e-1', to: [user], type: 'post.published', at: new Date().toISOString(), data: { text: 'ä😀' } },
        ])
        expect(await device.frame(1)).toMatchObject({ op: 'event', id: 'e-1', data: { text: 'ä😀' } })
        device.socket.send(JSON.stringify({ op: 'send', id: 'a', type: 'post.publish', data: draft }))
        expect(await device.frame(2)).toMatchObject({ op: 'reply', id: 'a', status: 201 })
      })
      test('close codes arrive', async () => {
        const { edge } = await start({ config: { CORS_ORIGINS: 'https://app.test' } })
        expect(await open(edge, 'bad').closed()).toBe(CLOSE.token)
        expect(await open(edge, pool.token(user), { origin: 'https://evil.test' }).closed()).toBe(CLOSE.origin)
        const [nonsense, bytes, most, big] = [open(edge), open(edge), open(edge), open(edge)]
        for (const device of [nonsense, bytes, most, big]) await device.frame(0)
        nonsense.socket.send('nonsense')
        bytes.socket.send(Buffer.from('{"op":"resume","position":"p"}'))
        most.socket.send(JSON.stringify({ op: 'resume', position: 'p' }).padEnd(65_536))
        expect([await nonsense.closed(), await bytes.closed()]).toEqual([CLOSE.nonsense, CLOSE.nonsense])
        expect(await most.frame(1)).toEqual({ op: 'reset' })
        big.socket.send('x'.repeat(65_537))
        expect(await big.closed()).toBe(tooBig)
      })
      test('a frame past 64 KiB ends the connection as soon as it says so, or grows so in pieces', async () => {
        const { edge } = await start()
        const size = (bytes: number) => [0x7f, 0, 0, 0, 0, ...[24, 16, 8, 0].map(shift => (bytes >> shift) & 255)]
        const masked = ([first = 0, ...rest]: number[]) => Buffer.from([first | 0x80, ...rest, 0, 0, 0, 0])
        const opening = (code: number, bytes: number) => Buffer.concat([Buffer.from([code]), masked(size(bytes)), Buffer.from('x')])
        const piece = (code: number, bytes: number) => Buffer.concat([Buffer.from([code]), masked(size(bytes)), Buffer.alloc(bytes, 'x')])
        const unfinished = {
          'of text': [opening(0x81, 65_537)],
          'of bytes': [opening(0x82, 1_000_000)],
          'larger than any memory': [Buffer.from([0x81, 0xff, 0x7f, ...Array(7).fill(255), 0, 0, 0, 0])],
          'in pieces': [piece(0x01, 40_000), piece(0x00, 20_000), piece(0x00, 10_000)],
          'in pieces, the last of them unfinished': [piece(0x01, 40_000), opening(0x00, 30_000), Buffer.alloc(29_000, 'x')],
        }
        for (const [what, pieces] of Object.entries(unfinished)) {
          const client = raw(edge.port)
          client.say(
            `GET /v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
          )
          expect(await client.until(t => t.includes('"hello"')), what).toContain('"hello"')
          for (const bytes of pieces) client.say(bytes)
          await client.until(() => false)
        }
      })
      test('an opening that is not of RFC 6455 is told what is wanted', async () => {
        const opening = (changes: Record<string, string | undefined>, line = 'GET /v1/stream HTTP/1.1', body = '') => {
          const headers = {
            host: 'x',
            authorization,
            upgrade: 'websocket',
            connection: 'keep-alive, Upgrade',
            'sec-websocket-version': '13',
            'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
            ...changes,
          }
          const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
          return `${[line, ...lines].join('\r\n')}\r\n\r\n${body}`
        }
        const answer = async (text: string) => {
          const client = raw(edge.port)
          client.say(text)
          const given = await client.until(t => t.includes('\r\n\r\n'))
          client.end()
          return given
        }
        expect(await answer(opening({}))).toContain('101 Switching Protocols')
        expect(await answer(opening({ upgrade: 'WebSocket', connection: 'upgrade' }))).toContain('101 Switching Protocols')
        const wanting = [
          ...['8', '0', '12', '14', '', '13, 8', undefined].map(version => ({ 'sec-websocket-version': version })),
          ...['h2c', '', undefined].map(upgrade => ({ upgrade })),
          ...['close', 'keep-alive', 'upgraded', undefined].map(connection => ({ connection })),
        ]
        for (const changes of wanting) {
          const given = (await answer(opening(changes))).toLowerCase()
          expect(given, JSON.stringify(changes)).toContain('426 upgrade required')
          expect(given).toContain('\r\nsec-websocket-version: 13\r\n')
          expect(given).toContain('\r\nupgrade: websocket\r\n')
        }
        const keys = [
          'abc',
          'dGhlIHNhbXBsZSBub25jZQ=',
          'dGhlIHNhbXBsZSBub25jZQ==, x',
          '!!!!!!!!!!!!!!!!!!!!!!==',
          'dGhlIHNhbXBsZSBub25jZQQQ',
          undefined,
        ]
        for (const key of keys) expect(await answer(opening({ 'sec-websocket-key': key })), String(key)).toContain('400 Bad Request')
        expect(await answer(opening({ 'content-length': '5' }, undefined, 'abcde'))).toContain('400 Bad Request')
        for (const coding of ['chunked', 'xchunked'])
          expect(await answer(opening({ 'transfer-encoding': coding }, undefined, '0\r\n\r\n'))).toContain('400 Bad Request')
        expect(await answer(opening({}, 'POST /v1/stream HTTP/1.1'))).toContain('405 Method Not Allowed')
        expect(await answer(opening({}, 'GET /v1/stream HTTP/1.0'))).toContain('505 HTTP Version Not Supported')
        expect(await answer('GET /v1/stream HTTP/1.1\r\nhost: x\r\n\r\n')).toContain('426 Upgrade Required')
      })
      test('heartbeats keep a living socket, and end one that is silent', async () => {
        const { edge } = await start({ heartbeatMs: 200 })
        const [living, silent] = [open(edge), open(edge)]
        await Promise.all([living.frame(0), silent.frame(0)])
        let pings = 0
        living.socket.on('ping', () => pings++)
        // A peer that is gone without a word reads nothing and answers nothing.
        silent.socket.pause()
        const gone = new Promise(resolve => silent.socket.once('close', resolve))
        await until('some pings', () => (pings > 4 ? true : undefined))
        silent.socket.resume()
        await gone
        expect(await silent.closed()).toBe(CLOSE.silent)
        expect(living.socket.readyState).toBe(WebSocket.OPEN)
      })
      test('a slow reader is told that it lags, others are not held up, and memory stays bounded', async () => {
        const { edge, ports } = await start()
        const [slow, quick] = [open(edge), open(edge)]
        await Promise.all([slow.frame(0), quick.frame(0)])
        slow.socket.pause()
        const [name = ''] = (await ports.backplane.online([user])).get(user) ?? []
        const filler = 'x'.repeat(50_000)
        const many = 400
        for (let i = 0; i < many; i++) {
          await ports.backplane.deliver(name, [
            { id: `e-${i}`, to: [user], type: 'post.published', at: new Date().toISOString(), data: { filler } },
          ])
          await new Promise(setImmediate)
        }
        await quick.frame(many)
        slow.socket.resume()
        const lagged = await until('lagged', () => slow.frames.find(f => JSON.stringify(f).startsWith('{"op":"lagged"')))
        expect(lagged).toMatchObject({ op: 'lagged' })
        expect(slow.frames.length).toBeLessThan(many)
        slow.socket.send(JSON.stringify({ op: 'resume', position: 'p' }))
        await until('reset', () => slow.frames.find(f => JSON.stringify(f) === '{"op":"reset"}'))
        await ports.backplane.deliver(name, [{ id: 'after', to: [user], type: 'post.published', at: new Date().toISOString(), data: {} }])
        await until('the event after it', () => slow.frames.find(f => JSON.stringify(f).includes('"after"')))
      })
    })

    test('a socket hears what was said to it from the first moment on, however its opening falls', async () => {
      const { edge } = await start()
      const opening = `GET /v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
      const frame = Buffer.from(JSON.stringify({ op: 'resume', position: 'p' }))
      const said = Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), frame])
      for (let round = 0; round < 5; round++) {
        const clients = Array.from({ length: 20 }, () => raw(edge.port))
        const gets = clients.map(client => {
          client.say(opening)
          return fetch(`${edge.url}/health/live`)
        })
        await Promise.all(
          clients.map(async client => {
            await client.until(t => t.includes('101 Switching'))
            client.say(said)
          }),
        )
        for (const client of clients)
          expect(await client.until(t => t.includes('"reset"'))).toMatch(/^HTTP\/1\.1 101 [\s\S]*"hello"[\s\S]*"reset"/)
        for (const get of gets) expect((await get).status).toBe(200)
        for (const client of clients) client.end()
      }
    })

    describe('an edge that goes away', () => {
      test('answers what is under way, says goodbye to sockets, and takes nothing new', async () => {
        let release: () => void = () => {}
        const held = new Promise<void>(resolve => {
          release = resolve
        })
        const { edge, actor } = await start({}, async e => held.then(() => ({ status: 201, body: { id: e.id } })))
        const socket = new WebSocket(edge.streamUrl, ['dailygrind.v1', `bearer.${pool.token(user)}`])
        const frames: string[] = []
        const closed = new Promise<number>(resolve => socket.on('close', resolve))
        socket.on('message', data => frames.push(String(data)))
        await until('hello', () => frames[0])
        socket.send(JSON.stringify({ op: 'send', id: 'a', type: 'post.publish', data: draft }))
        const other = { ...json, authorization: `Bearer ${pool.token(randomUUID())}` }
        const waiting = fetch(`${edge.url}/v1/posts`, { method: 'POST', headers: other, body: JSON.stringify(draft) })
        await until('both messages', () => (actor.taken.length === 2 ? true : undefined))
        const drained = edge.drain()
        await until('the word', () => frames.find(f => f.includes('"op":"drain"')))
        await expect(fetch(`${edge.url}/health/live`)).rejects.toThrow()
        release()
        const answer = await waiting
        expect([answer.status, answer.headers.get('connection')]).toEqual([201, 'close'])
        expect(await closed).toBe(CLOSE.restart)
        expect(frames.map(f => JSON.parse(f).op)).toEqual(['hello', 'drain', 'reply'])
        await drained
        expect(await edge.health()).toMatchObject({ ok: false, status: 'draining' })
      })
      test('takes a body that is on its way, and tells who waits in vain where to ask', async () => {
        let release: () => void = () => {}
        const held = new Promise<void>(resolve => {
          release = resolve
        })
        const slow = randomUUID()
        const { edge, actor, ports } = await start({}, async e => {
          if (e.by === slow) await held
          return { status: 201, body: { id: e.id } }
        })
        const text = JSON.stringify(draft)
        const client = raw(edge.port)
        client.say(
          `POST /v1/posts HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text.slice(0, 9)}`,
        )
        const headers = { ...json, authorization: `Bearer ${pool.token(slow)}`, prefer: 'wait=20' }
        const patient = fetch(`${edge.url}/v1/posts`, { method: 'POST', headers, body: text })
        await until('the message of the patient', () => actor.taken[0])
        const drained = edge.drain()
        await expect(fetch(`${edge.url}/health/live`)).rejects.toThrow()
        client.say(text.slice(9))
        expect(await client.until(t => t.includes('\r\n\r\n'))).toContain('201 Created')
        const accepted = await patient
        await drained
        release()
        expect(accepted.status).toBe(202)
        await until('the work', () => actor.done.find(e => e.by === slow))
        const next = await start({ ports })
        const operation = await fetch(`${next.edge.url}${accepted.headers.get('location')}`, { headers })
        expect(await operation.json()).toMatchObject({ status: 'done', result: { id: actor.done.find(e => e.by === slow)?.id } })
      })
      test('waits for those who are still reading their answers', async () => {
        const title = 'x'.repeat(20_000_000)
        const { edge } = await start({ views: viewsWith({ 'post.get': async () => ({ body: { title } }) }) })
        const client = raw(edge.port)
        client.say(`GET ${POST} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`)
        await client.until(t => t.length > 0)
        client.pause()
        const drained = edge.drain()
        await expect(fetch(`${edge.url}/health/live`)).rejects.toThrow()
        client.resume()
        await drained
        const text = await client.until(() => false)
        expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(JSON.stringify({ title }).length)
      })
    })
  })
