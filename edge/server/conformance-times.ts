import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test/until.ts'
import { raw } from '../testing/raw.ts'
import { GREETING, OPENING, startServer, type TestServer } from '../testing/server.ts'
import type { Listen, Times } from './port.ts'

/**
 * @property times what the server can be given, as short as it takes them: uWebSockets.js has its own 10 s for all but sockets
 * @property laxChunks takes chunks whose lines end with a bare line feed, whose length is followed by more, or whose data no line end follows
 * @property trailers the status of a request with trailers: uWebSockets.js takes them for the next request, and ends the connection
 * @property extensions takes chunk extensions, and does not look at them: uWebSockets.js takes them for digits of the length
 * @property brokenLine the status for a line that is no header line; undefined: the connection ends without an answer
 */
export type TimeDifferences = {
  readonly times: Partial<Times>
  readonly laxChunks: boolean
  readonly trailers: number
  readonly extensions: boolean
  readonly brokenLine: number | undefined
}

const DRIP_MS = 50
const POST = 'POST /done HTTP/1.1\r\nhost: x\r\n'
const CHUNKED = `${POST}transfer-encoding: chunked\r\n\r\n`

/** What is not said whole, not read, or not said as RFC 9112 wants it, ends within bounds. */
export const conformanceOfTimes = (name: string, listen: Listen, { times, laxChunks, trailers, extensions, brokenLine }: TimeDifferences) =>
  describe.concurrent(`connections that hang, on ${name}`, () => {
    let server: TestServer
    beforeAll(async () => {
      server = await startServer(listen, async ({ path }) => (path === '/big' ? { body: 'x'.repeat(40_000_000) } : {}), times)
    })
    afterAll(() => server.close())
    const begun = (path: string) => server.requests.filter(r => r.path === path).length
    /** Says a piece again and again, until the other end has had enough. */
    const drip = async (first: string, piece: string) => {
      const client = raw(server.port)
      client.say(first)
      while (!client.ended()) {
        client.say(piece)
        await pause(DRIP_MS)
      }
      return client.text()
    }
    const refusedOrNothing = /^(HTTP\/1\.1 (4\d\d|505) [\s\S]*)?$/

    test.each([
      ['a request line', 'GET /drip', 'x'],
      ['headers', 'GET /drip HTTP/1.1\r\nhost: x\r\n', 'x: y\r\n'],
      ['a body', 'POST /drip HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n', 'x'],
      ['chunks', 'POST /drip HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
      ['the opening of a socket', OPENING.slice(0, -2), 'x: y\r\n'],
    ])('%s that drips ends the connection, and nothing is begun', async (_, first, piece) => {
      expect(await drip(first, piece)).toMatch(refusedOrNothing)
      expect(begun('/drip')).toBe(0)
    })
    test('a connection that says nothing, or nothing more, ends', async () => {
      const mute = raw(server.port)
      const once = raw(server.port)
      once.say('GET /once HTTP/1.1\r\nhost: x\r\n\r\n')
      expect(await once.until(() => false)).toMatch(/^HTTP\/1\.1 200 OK/)
      expect(await mute.until(() => false)).toMatch(refusedOrNothing)
    })
    test('an answer that nobody reads ends the connection', async () => {
      const client = raw(server.port)
      client.say('GET /big HTTP/1.1\r\nhost: x\r\n\r\n')
      await client.until(text => text.length > 0)
      client.pause()
      await until('the end of it', () => (begun('/big') === 1 && server.underWay() === 0 ? true : undefined), 25_000)
      client.end()
    })
    test('a socket that says nothing ends, whatever is said to it', async () => {
      const client = raw(server.port)
      client.say(OPENING)
      await client.until(text => text.includes(GREETING))
      await client.until(() => false)
      await until('the end of it', () => (server.counts.opened === server.counts.closed ? true : undefined))
    })
    test.each([
      ['without a colon', 'nonsense'],
      ['with a space before the colon', 'x : y'],
      ['that goes on from the one before', 'x: y\r\n z'],
      ['with a bare line feed', 'x: y\nz: a'],
      ['with a bare carriage return', 'x: y\rz'],
      ['with a NUL', 'x: y\0z'],
      ['with a name that is none', 'x(y: z'],
    ])('a header line %s is no request', async (_, line) => {
      const client = raw(server.port)
      client.say(`GET /broken HTTP/1.1\r\nhost: x\r\n${line}\r\n\r\n`)
      const text = await client.until(() => false)
      expect(text.slice(0, 12)).toBe(brokenLine === undefined ? '' : `HTTP/1.1 ${brokenLine}`)
      expect(begun('/broken')).toBe(0)
    })
    test.each([
      ['a bare line feed after its length', '5\nhello\r\n0\r\n\r\n'],
      ['a bare line feed after its data', '5\r\nhello\n0\r\n\r\n'],
      ['more after its length', '5 5\r\nhello\r\n0\r\n\r\n'],
      ['nothing after its data', '5\r\nhello0\r\n\r\n'],
    ])('a chunk with %s', async (_, chunks) => {
      const client = raw(server.port)
      client.say(`${CHUNKED}${chunks}`)
      expect(await client.until(text => text.includes('\r\n\r\n'))).toContain(`HTTP/1.1 ${laxChunks ? 200 : 400} `)
      client.end()
    })
    test.each(['zz', '-5', 'f'.repeat(17), ''])('a chunk whose length is “%s” is none', async length => {
      const client = raw(server.port)
      client.say(`${CHUNKED.replace('/done', '/length')}${length}\r\nhello\r\n0\r\n\r\n`)
      expect(await client.until(() => false)).toMatch(refusedOrNothing)
      expect(begun('/length')).toBe(0)
    })
    test('trailers and chunk extensions', async () => {
      const trailing = raw(server.port)
      trailing.say(`${CHUNKED.replace('/done', '/trailers')}5\r\nhello\r\n0\r\nx: y\r\n\r\n`)
      expect(await trailing.until(text => text.includes('\r\n\r\n'))).toContain(`HTTP/1.1 ${trailers} `)
      expect(begun('/trailers')).toBe(trailers === 200 ? 1 : 0)
      trailing.end()
      const extended = raw(server.port)
      extended.say(`${CHUNKED.replace('/done', '/extended')}5;x=y\r\nhello\r\n0\r\n\r\n`)
      const text = await extended.until(answer => answer.includes('done'))
      if (extensions) expect(text).toContain('200 OK')
      else expect(text).toMatch(refusedOrNothing)
      expect(begun('/extended')).toBe(extensions ? 1 : 0)
    })
  })
