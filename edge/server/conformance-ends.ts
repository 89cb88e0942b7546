import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test/until.ts'
import { raw } from '../testing/raw.ts'
import { frameOf, GREETING, OPENING, startServer, type TestServer } from '../testing/server.ts'
import type { Listen } from './port.ts'

const POST = 'POST /held HTTP/1.1\r\nhost: x\r\n'
const BIG = 20_000_000

/** What becomes of connections that end at any moment, and of those that do not. */
export const conformanceOfEnds = (name: string, listen: Listen) =>
  describe(`connections that end, on ${name}`, () => {
    let server: TestServer
    let release: () => void = () => {}
    let held = Promise.resolve()
    const hold = () => {
      held = new Promise(resolve => {
        release = resolve
      })
    }
    beforeAll(async () => {
      server = await startServer(listen, async ({ path }) => {
        if (path === '/held') await held
        return path === '/big' ? { body: 'x'.repeat(BIG) } : {}
      })
    })
    afterAll(() => {
      release()
      server.close()
    })
    const serves = async () => expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(200)
    const quiet = () =>
      until('nothing under way, and nobody there', () =>
        server.underWay() === 0 &&
        server.counts.opened === server.counts.closed &&
        server.counts.accepted === server.counts.opened + server.counts.abandoned
          ? true
          : undefined,
      )
    /** By how many connections, and ways of ending them, a moment is tried. */
    const ROUNDS = 10
    const leaveAt = async (sent: string, ready: (client: ReturnType<typeof raw>) => Promise<unknown>) => {
      const clients = Array.from({ length: ROUNDS * 2 }, () => raw(server.port))
      await Promise.all(
        clients.map(async (client, i) => {
          client.say(sent)
          await ready(client)
          if (i % 2) client.end()
          else client.reset()
        }),
      )
    }
    const all = (what: string, count: () => number) => until(`all ${what}`, () => (count() >= ROUNDS * 2 ? true : undefined))
    const heldRequests = (from: number) => server.requests.slice(from).filter(r => r.path === '/held').length

    test.each([
      ['before anything is said', ''],
      ['within the request line', 'GET /he'],
      ['within the headers', `${POST}content-le`],
      ['before the body', `${POST}content-length: 10\r\n\r\n`],
      ['within the body', `${POST}content-length: 10\r\n\r\nhalf`],
      ['within a chunk', `${POST}transfer-encoding: chunked\r\n\r\na\r\nhalf`],
      ['between two chunks', `${POST}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
      ['within the opening of a socket', OPENING.slice(0, -2)],
    ])('%s: nothing is begun', async (_, sent) => {
      const before = server.requests.length
      await leaveAt(sent, serves)
      await quiet()
      expect(heldRequests(before)).toBe(0)
      await serves()
    })
    test('after the request: it is done, and the answer is nobody’s', async () => {
      hold()
      const before = server.requests.length
      await leaveAt(`${POST}content-length: 4\r\n\r\nbody`, () => all('requests', () => heldRequests(before)))
      await serves()
      expect(server.underWay()).toBeGreaterThan(0)
      release()
      await quiet()
      expect(heldRequests(before)).toBe(ROUNDS * 2)
    })
    test('within the answer: the rest of it is not kept', async () => {
      await leaveAt('GET /big HTTP/1.1\r\nhost: x\r\n\r\n', async client => {
        await client.until(text => text.length > 0)
        client.pause()
      })
      await quiet()
      await serves()
    })
    test('with the opening of a socket, and before it is decided about: nobody stays', async () => {
      let decide: () => void = () => {}
      server.acceptAfter(
        new Promise(resolve => {
          decide = resolve
        }),
      )
      const { accepted, abandoned } = server.counts
      await leaveAt(OPENING, () => all('openings', () => server.counts.accepted - accepted))
      await serves()
      decide()
      await until('all of them given up', () =>
        server.counts.abandoned - abandoned + server.counts.opened >= ROUNDS * 2 ? true : undefined,
      )
      await quiet()
      await serves()
    })
    test('right after the greeting, and within a frame: nobody stays', async () => {
      const { opened } = server.counts
      await leaveAt(OPENING, client => client.until(text => text.includes(GREETING)))
      await leaveAt(OPENING, async client => {
        await client.until(text => text.includes(GREETING))
        client.say(frameOf(1, 'half a frame').subarray(0, 9))
      })
      await quiet()
      expect(server.counts.opened - opened).toBe(ROUNDS * 4)
      expect(server.said).toEqual([])
      await serves()
    })

    test('who says no more has an answer that is there at once; one that takes longer is nobody’s, and the work is done', async () => {
      const quick = raw(server.port)
      quick.say('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
      quick.finish()
      expect(await quick.until(() => false)).toContain('200 OK')
      hold()
      const before = server.requests.length
      const slow = raw(server.port)
      slow.say(`${POST}content-length: 4\r\n\r\nbody`)
      slow.finish()
      await until('the request', () => heldRequests(before) || undefined)
      expect(await slow.until(() => false)).toBe('')
      release()
      await quiet()
      expect(heldRequests(before)).toBe(1)
    })
    test('who says no more within a request, or on a socket, is gone', async () => {
      const before = server.requests.length
      const halfway = raw(server.port)
      halfway.say(`${POST}content-length: 10\r\n\r\nhalf`)
      halfway.finish()
      expect(await halfway.until(() => false)).toMatch(/^(HTTP\/1\.1 400[\s\S]*)?$/)
      const socket = raw(server.port)
      socket.say(OPENING)
      await socket.until(text => text.includes(GREETING))
      socket.finish()
      await socket.until(() => false)
      await quiet()
      expect(heldRequests(before)).toBe(0)
    })
    test('a thousand idle sockets take little memory, and each answers a ping', async () => {
      const MANY = 1_000
      const { opened, alive } = server.counts
      const before = process.memoryUsage().rss
      const clients = Array.from({ length: MANY }, () => raw(server.port))
      for (const client of clients) client.say(OPENING)
      await Promise.all(clients.map(client => client.until(text => text.includes(GREETING))))
      expect(server.counts.opened - opened).toBe(MANY)
      // Both ends are in this process.
      expect(process.memoryUsage().rss - before).toBeLessThan(MANY * 150_000)
      await serves()
      const pong = Buffer.concat([Buffer.from([0x8a, 4]), Buffer.from('you?')]).toString('latin1')
      for (const client of clients) client.say(frameOf(9, 'you?'))
      await Promise.all(clients.map(client => client.until(text => text.includes(pong))))
      expect(server.counts.alive - alive).toBe(MANY)
      for (const client of clients) client.end()
      await quiet()
      await serves()
    })
    test('a socket that is not read takes a bounded lot, says so, and says when there is room again', async () => {
      const client = raw(server.port)
      client.say(OPENING)
      await client.until(text => text.includes(GREETING))
      client.pause()
      const socket = server.visitors.at(-1)
      const piece = 'x'.repeat(60_000)
      const results = new Set<string>()
      let most = 0
      for (let i = 0; i < 400; i++) {
        results.add(socket?.send([piece]) ?? 'none')
        most = Math.max(most, socket?.waiting() ?? 0)
        if (i % 20 === 0) await serves()
      }
      expect([...results]).toEqual(expect.arrayContaining(['slow', 'dropped']))
      expect(most).toBeGreaterThan(0)
      expect(most).toBeLessThan(1_048_576 + 2 * piece.length)
      const { writable } = server.counts
      client.resume()
      await until('room', () => (server.counts.writable > writable && socket?.waiting() === 0 ? true : undefined))
      expect(socket?.send([piece])).not.toBe('dropped')
      client.end()
      await quiet()
    })
  })
