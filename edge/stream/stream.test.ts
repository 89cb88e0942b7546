import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { Live } from '../../actors/kernel/ports/backplane/port.ts'
import { type VirtualClock, virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { CLOSE, EventFrame, Hello, Lagged, ReplyFrame } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { type Answering, fakeActor } from '../testing/actor.ts'
import { memoryPorts, request, type TestEdgeOptions, testEdge } from '../testing/edge.ts'
import { connect } from '../testing/socket.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})
const world = async (options: TestEdgeOptions = {}) => {
  const it = await testEdge(options)
  cleanups.push(it.edge.close)
  const open = (more: Parameters<typeof connect>[1] = {}) =>
    connect(it.edge.sockets, { token: it.token, protocols: 'dailygrind.v1', ...more })
  const tell = (to: readonly string[], frames: readonly Partial<Live>[]) =>
    it.ports.backplane.deliver(
      it.edge.name,
      frames.map(f => ({ id: randomUUID(), type: 'post.published', at: new Date().toISOString(), data: {}, ...f, to })),
    )
  return { ...it, open, tell }
}
const soon = async () => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate)
}

describe('a socket', () => {
  test('is greeted first, with a place to resume from', async () => {
    const { open } = await world()
    const device = await open()
    expect(device.protocol).toBe('dailygrind.v1')
    expect(Hello.parse(device.frames[0])).toMatchObject({ op: 'hello', heartbeatMs: 25_000 })
    expect(device.frames.length).toBe(1)
  })
  test('takes the token as a subprotocol, and never gives it back', async () => {
    const { edge, token } = await world()
    const device = await connect(edge.sockets, { protocols: `dailygrind.v1, bearer.${token}` })
    expect([device.protocol, device.ofOp('hello').length]).toEqual(['dailygrind.v1', 1])
  })
  test('with a bad token, or none, is closed before any other frame', async () => {
    const { edge, pool, user } = await world()
    for (const token of [undefined, '', 'x', pool.token(user, { expiresIn: -5 }), pool.token(user, { client: 'other' })]) {
      const device = await connect(edge.sockets, token === undefined ? {} : { token })
      expect([device.frames, device.closed()]).toEqual([[], CLOSE.token])
    }
  })
  test('from an origin that is not allowed is closed, from an allowed one or none it is not', async () => {
    const { open } = await world({ config: { CORS_ORIGINS: 'https://app.test' } })
    expect((await open({ headers: { origin: 'https://evil.test' } })).closed()).toBe(CLOSE.origin)
    expect((await open({ headers: { origin: 'https://app.test' } })).closed()).toBeUndefined()
    expect((await open()).closed()).toBeUndefined()
  })
  test('is closed when it says nonsense, or too much', async () => {
    const { open } = await world()
    const nonsense = [
      '',
      '{',
      '[]',
      'null',
      '"op"',
      '{}',
      '{"op":"dance"}',
      '{"op":"__proto__"}',
      '{"op":"resume"}',
      '{"op":"auth"}',
      '{"op":7}',
      `{"op":"x","a":${'['.repeat(20_000)}}`,
    ]
    for (const text of nonsense) {
      const device = await open()
      device.say(text)
      expect(device.closed(), text.slice(0, 40)).toBe(CLOSE.nonsense)
    }
    const bytes = await open()
    bytes.saysBytes()
    expect(bytes.closed()).toBe(CLOSE.nonsense)
  })
  test('beyond the budget is closed', async () => {
    const { open } = await world({ clock: virtualClock(Date.now()), config: { READS_BURST: '3', WRITES_BURST: '1' } })
    const device = await open()
    for (let i = 0; i < 3; i++) device.say({ op: 'resume', position: 'p' })
    expect(device.closed()).toBe(CLOSE.budget)
    expect((await open()).closed()).toBe(CLOSE.budget)
  })
  test('that resumes is told to reload', async () => {
    const { open } = await world()
    const device = await open()
    device.say({ op: 'resume', position: 'made up' })
    expect(device.frames.at(-1)).toEqual({ op: 'reset' })
  })
  test('is told when the edge goes away, and closed at the end; a new one is not let in', async () => {
    const { open, edge } = await world()
    const device = await open()
    edge.leaving()
    expect(device.frames.at(-1)).toMatchObject({ op: 'drain', afterMs: expect.any(Number), position: expect.any(String) })
    expect((await open()).closed()).toBe(CLOSE.restart)
    expect(device.closed()).toBeUndefined()
    await edge.close()
    expect(device.closed()).toBe(CLOSE.restart)
  })
})

describe('how many', () => {
  const limits = { SOCKETS_PER_USER: '3', SOCKETS_PER_ADDRESS: '5' }

  test('a person may have open: one more is closed before its greeting, the older ones stay', async () => {
    const { open, pool } = await world()
    const devices = await Promise.all(Array.from({ length: 20 }, () => open()))
    const late = await open()
    expect([late.closed(), late.frames, late.protocol]).toEqual([CLOSE.budget, [], 'dailygrind.v1'])
    expect(devices.map(d => [d.closed(), d.ofOp('hello').length])).toEqual(devices.map(() => [undefined, 1]))
    expect((await open({ token: pool.token(randomUUID()) })).closed()).toBeUndefined()
    devices[7]?.leave()
    expect((await open()).closed()).toBeUndefined()
    expect((await open()).closed()).toBe(CLOSE.budget)
  })
  test('a person may have stays the same however sockets come and go', async () => {
    const { open, pool, user, edge } = await world({ config: limits })
    const token = pool.token(user, { use: 'id' })
    const accept = (given: string) => edge.sockets.accept(request('GET', '/v1/stream', { token: given }))
    for (let round = 0; round < 4; round++) {
      const [left, wrong, stranger] = await Promise.all([open({ address: '192.0.2.10' }), open({ token }), open({ address: '192.0.2.11' })])
      stranger.say({ op: 'auth', token })
      expect((await open({ address: '192.0.2.12' })).closed()).toBe(CLOSE.budget)
      left.leave()
      wrong.say('nonsense')
      stranger.say({ op: 'auth', token: 'x' })
      await until('the refusal', () => stranger.closed())
      for (const given of [token, 'x']) edge.sockets.abandoned(await accept(given))
    }
    const devices = await Promise.all(Array.from({ length: 5 }, () => open()))
    expect(devices.map(d => d.closed())).toEqual([undefined, undefined, undefined, CLOSE.budget, CLOSE.budget])
  })
  test('an address may have open, however it is spelt and whoever asks, refused ones and those that fail not counted', async () => {
    const { open, pool } = await world({ config: { ...limits, PROXIES: '1' } })
    const from = (forwarded: string, token = pool.token(randomUUID())) => open({ token, headers: { 'x-forwarded-for': forwarded } })
    for (let i = 0; i < 20; i++) expect((await from('2001:db8:1:2::9', 'x')).closed()).toBe(CLOSE.token)
    const devices = await Promise.all(
      ['2001:db8:1:2::1', '[2001:DB8:1:2::2]:1', '2001:db8:1:2:0::3', '2001:0db8:1:2::4%eth0', '2001:db8:1:2::5'].map(a => from(a)),
    )
    expect(devices.map(d => d.closed())).toEqual(devices.map(() => undefined))
    const late = await from('2001:db8:1:2::6')
    expect([late.closed(), late.frames]).toEqual([CLOSE.budget, []])
    expect((await from('2001:db8:1:2::6', 'x')).closed()).toBe(CLOSE.budget)
    expect((await from('2001:db8:1:3::1')).closed()).toBeUndefined()
    devices[0]?.leave()
    expect((await from('2001:db8:1:2::6')).closed()).toBeUndefined()
    expect((await from('2001:db8:1:2::7')).closed()).toBe(CLOSE.budget)
  })
  test('an address may have while their tokens are being looked at', async () => {
    let give: () => void = () => {}
    const given = new Promise<void>(resolve => {
      give = resolve
    })
    const fetcher = { fetch: () => given.then(() => Promise.reject(new Error('there are no keys'))) }
    const { pool, edge } = await world({ config: { ...limits, COGNITO_JWKS: '' }, fetcher })
    const accept = async () => edge.sockets.accept(request('GET', '/v1/stream', { token: pool.token(randomUUID()) }))
    const held = Array.from({ length: 5 }, accept)
    expect(await accept()).toMatchObject({ code: CLOSE.budget })
    give()
    for (const visitor of await Promise.all(held)) edge.sockets.abandoned(visitor)
    expect(await accept()).toMatchObject({ code: CLOSE.restart })
  })
  test('loopback may have as many as it wants with embedded engines', async () => {
    const { open, pool } = await world({ config: { ...limits, EMBEDDED: 'true' } })
    const devices = await Promise.all(Array.from({ length: 8 }, () => open({ address: '127.0.0.1', token: pool.token(randomUUID()) })))
    expect(devices.map(d => d.closed())).toEqual(devices.map(() => undefined))
  })
})

describe('pings and pongs', () => {
  test('have a budget of their own, each socket, and beyond it the socket is closed', async () => {
    const clock = virtualClock(Date.now())
    const { open } = await world({ clock, config: { READS_BURST: '3' } })
    const [wild, tame] = [await open(), await open()]
    for (let i = 0; i < 100; i++) wild.pong()
    expect(wild.closed()).toBeUndefined()
    wild.pong()
    expect(wild.closed()).toBe(CLOSE.budget)
    for (let s = 0; s < 30; s++) {
      await clock.advance(1_000)
      for (let i = 0; i < 10; i++) tame.pong()
    }
    expect(tame.closed()).toBeUndefined()
  })
})

describe('time', () => {
  const timed = async (start = Date.now()): Promise<{ clock: VirtualClock } & Awaited<ReturnType<typeof world>>> => {
    const clock = virtualClock(start)
    return { clock, ...(await world({ clock, heartbeatMs: 10_000 })) }
  }
  test('without a sign of life for two heartbeats closes a socket; a pong is one, a frame too', async () => {
    const { clock, open } = await timed()
    const [silent, ponging, talking] = [await open(), await open(), await open()]
    await clock.advance(12_000)
    expect(silent.pings()).toBe(1)
    ponging.pong()
    talking.say({ op: 'resume', position: 'p' })
    await clock.advance(9_000)
    expect([silent, ponging, talking].map(d => d.closed())).toEqual([CLOSE.silent, undefined, undefined])
  })
  test('is not what the wall clock says: set forward, it closes no socket; set back, pings go on and the silent are found', async () => {
    const { clock, open } = await timed()
    const [ponging, silent] = [await open(), await open()]
    clock.stepWall(60_000)
    await clock.advance(1_000)
    expect([ponging.closed(), silent.closed()]).toEqual([undefined, undefined])
    clock.stepWall(-3_600_000)
    await clock.advance(11_000)
    ponging.pong()
    await clock.advance(11_000)
    expect([ponging.pings() > 1, ponging.closed(), silent.closed()]).toEqual([true, undefined, CLOSE.silent])
  })
  test('ends a socket with its token, unless it got a fresh one of the same person', async () => {
    const { clock, open, pool, user } = await timed()
    const short = () => pool.token(user, { expiresIn: 30 })
    const [left, renewed, foreign, bad] = [
      await open({ token: short() }),
      await open({ token: short() }),
      await open({ token: short() }),
      await open({ token: short() }),
    ]
    renewed.say({ op: 'auth', token: pool.token(user, { expiresIn: 300 }) })
    foreign.say({ op: 'auth', token: pool.token(randomUUID()) })
    bad.say({ op: 'auth', token: 'x' })
    await until('the refusals', () => (foreign.closed() && bad.closed() ? true : undefined))
    expect([foreign.closed(), bad.closed(), renewed.closed()]).toEqual([CLOSE.token, CLOSE.token, undefined])
    // Tokens are made by the machine's own clock, which has gone on meanwhile: long after the one, long before the other.
    for (let i = 0; i < 20; i++) {
      await clock.advance(6_000)
      for (const d of [left, renewed]) d.pong()
    }
    expect([left.closed(), renewed.closed()]).toEqual([CLOSE.token, undefined])
  })
})

describe('events', () => {
  test('reach every device of those they are for, once each, and nobody else', async () => {
    const { open, tell, user, pool } = await world()
    const other = randomUUID()
    const [one, two, theirs] = [await open(), await open(), await open({ token: pool.token(other) })]
    const event = { id: 'e-1', type: 'post.published', at: '2026-11-20T12:00:00.000Z', data: { id: 'p' } }
    await tell([user], [event])
    await tell([user, user], [event])
    await until('the event', () => two.ofOp('event')[0])
    await tell([other], [{ ...event, id: 'e-2' }])
    await until('the other event', () => theirs.ofOp('event')[0])
    expect(EventFrame.parse(one.ofOp('event')[0])).toMatchObject({ op: 'event', ...event })
    expect([one, two, theirs].map(d => d.ofOp('event').map(e => e.id))).toEqual([['e-1'], ['e-1'], ['e-2']])
  })
  test('come in order', async () => {
    const { open, tell, user } = await world()
    const device = await open()
    await tell(
      [user],
      Array.from({ length: 500 }, (_, i) => ({ id: `e-${i}` })),
    )
    await until('all of them', () => device.ofOp('event')[499])
    expect(device.ofOp('event').map(e => e.id)).toEqual(Array.from({ length: 500 }, (_, i) => `e-${i}`))
  })
  test('stop for a reader that is too slow, which is told, and go on when it resumes', async () => {
    const { open, tell, user } = await world()
    const [slow, quick] = [await open({ capacity: 400_000 }), await open()]
    const big = { filler: 'x'.repeat(10_000) }
    for (let i = 0; i < 100; i++) {
      await tell([user], [{ id: `e-${i}`, data: big }])
      await soon()
    }
    expect(quick.ofOp('event').length).toBe(100)
    expect(slow.ofOp('event').length).toBeLessThan(40)
    expect(Lagged.parse(slow.frames.at(-1)).position).not.toBe('')
    expect(slow.ofOp('lagged').length).toBe(1)
    slow.read()
    await tell([user], [{ id: 'late' }])
    await soon()
    expect(slow.ofOp('lagged').length).toBe(1)
    expect(slow.frames.at(-1)?.op).toBe('lagged')
    slow.say({ op: 'resume', position: 'p' })
    await tell([user], [{ id: 'after' }])
    await until('the event', () => slow.ofOp('event').find(e => e.id === 'after'))
    expect(slow.ofOp('reset').length).toBe(1)
  })
  test('that come all at once for somebody who reads nothing take bounded memory, and it is told as soon as there is room', async () => {
    const { open, tell, user } = await world()
    const device = await open({ capacity: 'hello' })
    await tell(
      [user],
      Array.from({ length: 1000 }, (_, i) => ({ id: `e-${i}`, data: { filler: 'x'.repeat(1000) } })),
    )
    await soon()
    expect([device.ofOp('event').length, device.ofOp('lagged').length]).toEqual([0, 0])
    device.read()
    expect(device.ofOp('lagged').length).toBe(1)
  })
})

describe('presence', () => {
  test('begins with a person’s first device and ends with the last', async () => {
    const { open, ports, user, edge } = await world()
    const edges = async () => (await ports.backplane.online([user])).get(user)
    const one = await open()
    expect(await edges()).toEqual([edge.name])
    const two = await open()
    one.leave()
    await soon()
    expect(await edges()).toEqual([edge.name])
    two.leave()
    await until('absence', async () => ((await edges()) === undefined ? true : undefined))
    await Promise.all([open(), open().then(d => d.leave()), open()])
    expect(await edges()).toEqual([edge.name])
  })
  test('is told once at a time while the backplane hangs, however often somebody comes and goes', async () => {
    const clock = virtualClock(Date.now())
    const ports = memoryPorts()
    let told = 0
    let open: () => void = () => {}
    const opened = new Promise<void>(resolve => {
      open = resolve
    })
    const join: typeof ports.backplane.join = async (edge, listener) => {
      const seat = await ports.backplane.join(edge, listener)
      const slow = (tell: (user: string) => Promise<void>) => async (user: string) => {
        told++
        await opened
        return tell(user)
      }
      return { ...seat, present: slow(seat.present), absent: slow(seat.absent) }
    }
    const { edge, token, user } = await world({ clock, ports: { ...ports, backplane: { ...ports.backplane, join } } })
    const come = async () => {
      const accepted = edge.sockets.accept(request('GET', '/v1/stream', { token }))
      await soon()
      await clock.advance(1_000)
      return accepted
    }
    for (let i = 0; i < 20; i++) edge.sockets.abandoned(await come())
    await come()
    expect(told).toBe(1)
    open()
    await until('presence', async () => (await ports.backplane.online([user])).get(user))
    expect(told).toBeLessThanOrEqual(2)
  })
  test('of sockets that were refused does not begin', async () => {
    const { open, ports, user } = await world({ config: { CORS_ORIGINS: 'https://app.test' } })
    await open({ headers: { origin: 'https://evil.test' } })
    expect((await ports.backplane.online([user])).size).toBe(0)
  })
})

describe('a message over the socket', () => {
  const draft = { title: 'Hello', content: 'First day' }
  const answered: Answering = ({ id, type }) =>
    type === 'post.delete'
      ? { status: 204 }
      : type === 'post.like'
        ? { status: 404, problem: { code: 'not-found' } }
        : { status: 201, body: { id } }
  const mesh = async (answering: Answering = answered, options: TestEdgeOptions = {}) => {
    const ports = memoryPorts()
    const it = await world({ ports, ...options })
    const actor = fakeActor(ports, 'posts.fifo', answering)
    cleanups.push(actor.stop)
    const device = await it.open()
    const reply = async (id: string | null, n = 1) =>
      ReplyFrame.parse(await until(`reply ${id}`, () => device.ofOp('reply').filter(f => f.id === id)[n - 1]))
    return { ...it, actor, device, reply }
  }

  test('is answered as HTTP would', async () => {
    const { device, reply, actor, user } = await mesh()
    device.say({ op: 'send', id: 'a', type: 'post.publish', data: { ...draft, by: 'another' } })
    expect(await reply('a')).toMatchObject({ status: 201, body: { id: actor.taken[0]?.id } })
    expect(actor.taken[0]).toMatchObject({ by: user, data: draft, key: `author#${user}/slot` })
    const postId = `${randomUUID()}.20261120.000001`
    device.say({ op: 'send', id: 'b', type: 'post.delete', data: { postId } })
    expect(await reply('b')).toMatchObject({ status: 204, body: null })
    device.say({ op: 'send', id: 'c', type: 'post.like', data: { postId } })
    expect(await reply('c')).toMatchObject({ status: 404, body: { code: 'not-found', status: 404, type: '/docs/problems/not-found' } })
  })
  test('that is invalid, unknown, or only the mesh’s own is refused and the socket stays', async () => {
    const { device, reply, actor } = await mesh()
    const cases: [unknown, unknown, number][] = [
      ['post.publish', { title: '' }, 422],
      ['post.publish', 'text', 422],
      ['post.publish', null, 422],
      ['post.like', {}, 422],
      ['post.like', { postId: 'made-up' }, 404],
      ['post.sweep', { postId: `${randomUUID()}.20261120.000001` }, 404],
      ['user.register', { userId: randomUUID(), email: 'a@b.test' }, 404],
      ['toString', {}, 404],
      ['nope', {}, 404],
      [7, {}, 404],
      [undefined, {}, 404],
    ]
    for (const [i, [type, data, status]] of cases.entries()) {
      device.say({ op: 'send', id: `m-${i}`, type, data })
      expect((await reply(`m-${i}`)).status, String(type)).toBe(status)
    }
    expect([device.closed(), actor.taken.length]).toEqual([undefined, 0])
  })
  test('needs an id', async () => {
    const { device, reply } = await mesh()
    for (const [i, id] of [undefined, '', 'two words', 7, null, 'x'.repeat(129)].entries()) {
      device.say({ op: 'send', id, type: 'post.publish', data: draft })
      expect(await reply(null, i + 1)).toMatchObject({ status: 422, body: { code: 'validation-failed', errors: [{ pointer: '/id' }] } })
    }
  })
  test('is done once however often it is sent, on whichever socket; another content needs another id', async () => {
    const { device, reply, actor, open } = await mesh()
    const frame = { op: 'send', id: 'a', type: 'post.publish', data: draft }
    for (let i = 0; i < 3; i++) device.say(frame)
    const replies = [await reply('a', 1), await reply('a', 2), await reply('a', 3)]
    expect(new Set(replies.map(r => JSON.stringify(r))).size).toBe(1)
    const second = await open()
    second.say(frame)
    await until('the reply', () => second.ofOp('reply')[0])
    expect(second.ofOp('reply')[0]).toMatchObject({ status: 201, body: replies[0]?.body })
    expect(actor.done.length).toBe(1)
    device.say({ ...frame, data: { ...draft, title: 'Other' } })
    expect(await reply('a', 4)).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } })
    device.say({ op: 'send', id: 'a', type: 'post.delete', data: { postId: `${randomUUID()}.20261120.000001` } })
    expect(await reply('a', 5)).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } })
  })
  test('goes before what is said after it, although its claim takes longer', async () => {
    const ports = memoryPorts()
    let release: () => void = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let first: Promise<void> | undefined
    const slow: typeof ports.store.commit = writes => {
      if (first) return ports.store.commit(writes)
      first = held.then(() => ports.store.commit(writes))
      return first
    }
    const it = await testEdge({ ports: { ...ports, store: { ...ports.store, commit: slow } } })
    const actor = fakeActor(ports, 'posts.fifo', answered)
    cleanups.push(actor.stop, it.edge.close)
    const device = await connect(it.edge.sockets, { token: it.token })
    const postId = `${randomUUID()}.20261120.000001`
    device.say({ op: 'send', id: 'a', type: 'post.like', data: { postId } })
    device.say({ op: 'send', id: 'b', type: 'post.unlike', data: { postId } })
    device.say({ op: 'send', id: 'c', type: 'post.like', data: {} })
    await until('what is refused meanwhile', () => device.ofOp('reply').find(f => f.id === 'c'))
    expect(actor.taken).toEqual([])
    release()
    await until('both replies', () => (device.ofOp('reply').length === 3 ? true : undefined))
    expect(actor.taken.map(e => e.type)).toEqual(['post.like', 'post.unlike'])
  })
  test('whose answer stands is answered although one before it is still at its claim', async () => {
    const ports = memoryPorts()
    let held: Promise<void> | undefined
    const slow: typeof ports.store.commit = async writes => {
      const mine = held
      held = undefined
      await mine
      return ports.store.commit(writes)
    }
    const { device, reply } = await mesh(answered, { ports: { ...ports, store: { ...ports.store, commit: slow } } })
    const actor = fakeActor(ports, 'posts.fifo', answered)
    cleanups.push(actor.stop)
    const postId = `${randomUUID()}.20261120.000001`
    const known = { op: 'send', id: 'known', type: 'post.delete', data: { postId } }
    device.say(known)
    expect((await reply('known', 1)).status).toBe(204)
    let release: () => void = () => {}
    held = new Promise(resolve => {
      release = resolve
    })
    device.say({ op: 'send', id: 'ahead', type: 'post.delete', data: { postId } })
    device.say(known)
    expect((await reply('known', 2)).status).toBe(204)
    device.say({ ...known, type: 'post.like' })
    expect((await reply('known', 3)).status).toBe(422)
    expect(device.ofOp('reply').filter(f => f.id === 'ahead')).toEqual([])
    release()
    expect((await reply('ahead')).status).toBe(204)
  })
  test('whose way to the mailbox fails holds up none after it', async () => {
    const ports = memoryPorts()
    let fails = true
    const failing: typeof ports.mailbox.send = (...message) => {
      if (!fails) return ports.mailbox.send(...message)
      fails = false
      return Promise.reject(new Error('the queue is away'))
    }
    const { device, reply } = await mesh(answered, { ports: { ...ports, mailbox: { ...ports.mailbox, send: failing } } })
    const actor = fakeActor(ports, 'posts.fifo', answered)
    cleanups.push(actor.stop)
    for (const id of ['a', 'b']) device.say({ op: 'send', id, type: 'post.publish', data: draft })
    expect([(await reply('a')).status, (await reply('b')).status]).toEqual([503, 201])
  })
  test('whose id was a key of HTTP is none of its business', async () => {
    const { device, reply, actor, call } = await mesh()
    await call('POST', '/v1/posts', { body: draft, headers: { 'idempotency-key': 'a' } })
    device.say({ op: 'send', id: 'a', type: 'post.publish', data: { ...draft, title: 'Other' } })
    expect((await reply('a')).status).toBe(201)
    expect(actor.done.length).toBe(2)
  })
  test('that takes too long becomes an operation', async () => {
    const clock = virtualClock(Date.now())
    const it = await world({ clock })
    const device = await it.open()
    device.say({ op: 'send', id: 'a', type: 'post.publish', data: draft })
    await until('the message', async () => ((await it.ports.mailbox.depth('posts.fifo')).waiting > 0 ? true : undefined))
    await clock.advance(6_000)
    expect(ReplyFrame.parse(await until('the reply', () => device.ofOp('reply')[0]))).toMatchObject({
      id: 'a',
      status: 202,
      body: { status: 'pending', result: null, problem: null },
    })
  })
  test('beyond the budget is refused with its seconds, what was accepted is answered, and the socket stays', async () => {
    const { device } = await mesh(answered, { clock: virtualClock(Date.now()) })
    const frames = Array.from({ length: 520 }, (_, i) => ({ op: 'send', id: `m-${i}`, type: 'nope', data: {} }))
    for (const frame of frames) device.say(frame)
    await until('a reply to each', () => (device.ofOp('reply').length === frames.length ? true : undefined))
    const replies = device.ofOp('reply').map(r => ReplyFrame.parse(r))
    expect(new Set(replies.map(r => r.id)).size).toBe(frames.length)
    const refused = replies.filter(r => r.status === 429)
    expect([refused.length, replies.filter(r => r.status === 404).length, device.closed()]).toEqual([120, 400, undefined])
    for (const { retryAfter, body } of refused)
      expect([retryAfter, body]).toMatchObject([1, { code: 'rate-limited', detail: expect.stringMatching(/again in 1 s/) }])
  })
  test('beyond the budget ends the socket of who goes on, and no other', async () => {
    const clock = virtualClock(Date.now())
    const { device, open } = await mesh(answered, { clock, config: { WRITES_BURST: '1', WRITES_PER_SECOND: '0' } })
    const other = await open()
    const send = (n: number, on = device) => {
      for (let i = 0; i < n; i++) on.say({ op: 'send', id: `${i}`, type: 'nope', data: {} })
    }
    send(501)
    await clock.advance(2_000)
    expect(device.closed()).toBeUndefined()
    send(60)
    await until('the close', () => device.closed())
    expect(device.closed()).toBe(CLOSE.budget)
    send(1, other)
    await until('the reply', () => other.ofOp('reply')[0])
    expect([other.ofOp('reply')[0]?.status, other.closed()]).toEqual([429, undefined])
  })
  test('beyond the budget in one packet without an end ends the socket', async () => {
    const { device } = await mesh(answered, { clock: virtualClock(Date.now()), config: { WRITES_BURST: '1' } })
    for (let i = 0; i < 5_000; i++) device.say({ op: 'send', id: `${i}`, type: 'nope', data: {} })
    await until('the close', () => device.closed())
    expect(device.closed()).toBe(CLOSE.budget)
    expect(device.ofOp('reply').length).toBeLessThan(1_100)
  })
  test('of somebody who reads no replies ends the socket', async () => {
    const { open } = await mesh()
    const device = await open({ capacity: 600 })
    for (let i = 0; i < 5; i++) device.say({ op: 'send', id: `m-${i}`, type: 'nope', data: {} })
    await until('the close', () => device.closed())
    expect(device.closed()).toBe(CLOSE.budget)
  })
})
