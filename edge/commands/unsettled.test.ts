import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { ProblemDocument } from '../../contracts/edge.ts'
import { ReplyFrame } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { json, memoryPorts, type TestEdgeOptions, testEdge } from '../testing/edge.ts'
import { newPool } from '../testing/pool.ts'
import { connect } from '../testing/socket.ts'
import { unsettled } from './unsettled.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const pool = newPool()
/** An edge whose actors are away until `answer` lets them do everything that waits. */
const world = async (options: TestEdgeOptions = {}) => {
  const clock = virtualClock(Date.now())
  const ports = { ...memoryPorts() }
  const sent: { id: string; group: string }[] = []
  const mailbox: typeof ports.mailbox = {
    ...ports.mailbox,
    send: async (_queue, { id, group = '' }) => {
      sent.push({ id, group })
    },
  }
  const it = await testEdge({ clock, pool, ports: { ...ports, mailbox }, ...options })
  cleanups.push(it.edge.close)
  /** Answers all that was sent. */
  const answer = async () => {
    for (const { id } of sent.splice(0)) await it.ports.backplane.reply(it.edge.name, id, { status: 404, problem: { code: 'not-found' } })
  }
  const person = () => it.pool.token(randomUUID())
  const post = () => `${randomUUID()}.20261120.000001`
  const like = (token: string, postId: string, prefer = 'wait=20') =>
    it.call('PUT', `/v1/posts/${postId}/like`, { token, headers: { prefer } }).then(a => a.status)
  const rename = (token: string) => it.call('PATCH', '/v1/users/me', { token, body: { firstName: 'Ana' } }).then(a => a.status)
  /** How many have each status, once `ms` have passed and everything was answered. */
  const statuses = async (asked: readonly Promise<number>[], ms = 0) => {
    await new Promise(setImmediate)
    await clock.advance(ms)
    const seen = new Map<number, number>()
    await answer()
    for (const status of await Promise.all(asked)) seen.set(status, (seen.get(status) ?? 0) + 1)
    return Object.fromEntries(seen)
  }
  return { ...it, clock, sent, answer, person, post, like, rename, statuses }
}

describe('a person with a hundred writes without a reply', () => {
  test('gets 429 for more, whatever they are about and whoever else asks; others notice nothing', async () => {
    const { person, post, like, rename, statuses, call } = await world()
    const [greedy, other] = [person(), person()]
    const asked = Array.from({ length: 300 }, () => like(greedy, post()))
    const refused = await call('DELETE', `/v1/posts/${post()}/like`, { token: greedy })
    expect([refused.status, ProblemDocument.parse(json(refused)).code, refused.headers['retry-after']]).toEqual([429, 'rate-limited', '1'])
    expect((await call('GET', '/v1/timeline', { token: greedy })).status).toBe(404)
    // The age of the greedy one's writes is nobody else's trouble.
    expect(await statuses(asked, 10_000)).toEqual({ 404: 100, 429: 200 })
    expect(await statuses([like(other, post()), rename(other), like(greedy, post())])).toEqual({ 404: 3 })
  })
  test('has them still after a 202, until the replies come', async () => {
    const { clock, person, post, like, statuses } = await world()
    const token = person()
    const accepted = await Promise.all(Array.from({ length: 100 }, () => like(token, post(), 'respond-async')))
    expect(new Set(accepted)).toEqual(new Set([202]))
    expect(await like(token, post())).toBe(429)
    await clock.advance(60_000)
    expect(await like(token, post(), 'respond-async')).toBe(429)
    expect(await statuses([])).toEqual({})
    expect(await statuses([like(token, post())])).toEqual({ 404: 1 })
  })
  test('shares them between HTTP and all of their sockets', async () => {
    const { edge, person, post, like, answer } = await world({ config: { UNANSWERED_WRITES_PER_USER: '3' } })
    const token = person()
    const waiting = like(token, post())
    const [one, two] = [await connect(edge.sockets, { token }), await connect(edge.sockets, { token })]
    const send = (device: typeof one, id: string) => device.say({ op: 'send', id, type: 'post.like', data: { postId: post() } })
    send(one, 'a')
    send(two, 'b')
    send(two, 'c')
    const refusal = ReplyFrame.parse(await until('the refusal', () => two.ofOp('reply')[0]))
    expect(refusal).toMatchObject({ id: 'c', status: 429, retryAfter: 1, body: { code: 'rate-limited' } })
    expect(await like(token, post())).toBe(429)
    await until('the replies', async () => {
      await answer()
      return one.ofOp('reply')[0] && two.ofOp('reply')[1]
    })
    expect([await waiting, one.ofOp('reply')[0]?.status, two.ofOp('reply')[1]?.status]).toEqual([404, 404, 404])
    expect([one.closed(), two.closed()]).toEqual([undefined, undefined])
  })
})

describe('a key that many ask for at once', () => {
  test('has a hundred who wait, others get 202 at once, and other keys and people are served', async () => {
    const { clock, person, post, like, rename, statuses, answer, call } = await world()
    const [hot, people] = [post(), Array.from({ length: 4 }, person)]
    const asked = people.flatMap(token => Array.from({ length: 90 }, () => like(token, hot)))
    const settled: number[] = []
    for (const a of asked) void a.then(status => settled.push(status))
    await until('those who need not wait', () => (settled.length === 260 ? true : undefined))
    expect(new Set(settled)).toEqual(new Set([202]))
    const late = await call('PUT', `/v1/posts/${hot}/like`, { token: person(), headers: { prefer: 'wait=20' } })
    expect([late.status, late.headers['preference-applied']]).toEqual([202, undefined])
    // Long after replies should have come, nothing else is refused.
    await clock.advance(10_000)
    const others = Array.from({ length: 150 }, person).map((token, i) => (i % 2 === 0 ? like(token, post()) : rename(token)))
    expect(await statuses([...others, ...asked])).toEqual({ 404: 250, 202: 260 })
    await answer()
  })
  test('has a thousand commands without a reply, those of 202 among them; beyond that it alone is overloaded', async () => {
    const { person, post, like, rename, statuses, call } = await world()
    const hot = post()
    const many = Array.from({ length: 11 }, person)
    const asked = many.flatMap((token, i) => Array.from({ length: 95 }, () => like(token, hot, i % 2 === 0 ? 'respond-async' : 'wait=20')))
    const late = person()
    const refused = await call('PUT', `/v1/posts/${hot}/like`, { token: late })
    expect([refused.status, ProblemDocument.parse(json(refused)).code, refused.headers['retry-after']]).toEqual([503, 'overloaded', '1'])
    const others = [like(late, post()), rename(late), like(many[0] ?? '', post())]
    expect(await statuses([...asked, ...others], 3_000)).toEqual({ 202: 900, 404: 103, 503: 45 })
    expect(await statuses([like(late, hot)])).toEqual({ 404: 1 })
  })
  test('is counted by its actor, too: what two actors call alike is not one', async () => {
    const { person, rename, call, statuses } = await world({ config: { UNSETTLED_COMMANDS_PER_KEY: '1' } })
    const token = person()
    const asked = [rename(token), call('PUT', '/v1/push/preferences', { token, body: { types: {}, quietHours: null } }).then(a => a.status)]
    const again = rename(token)
    expect((await statuses([...asked, again]))[503]).toBe(1)
  })
})

test('many people who each ask for one key of their own are not one person or key', async () => {
  const { clock, person, post, like, statuses } = await world()
  const asked = Array.from({ length: 60 }, () => like(person(), post()))
  await new Promise(setImmediate)
  await clock.advance(5_000)
  expect(await like(person(), post())).toBe(503)
  expect(await statuses(asked)).toEqual({ 404: 60 })
})

describe('the count of commands without a reply', () => {
  const limits = { perUser: 2, waitersPerKey: 1, perKey: 2 }
  const subject = { user: 'ana', actor: 'posts', key: 'k' }
  const counting = (heard = () => true) => {
    const clock = virtualClock(0)
    return { clock, ...unsettled(clock, heard, limits) }
  }
  const leaveWith202 = (commands: ReturnType<typeof counting>, id: string) => {
    const entry = commands.enter(subject, true)
    entry.sentAs(id)
    entry.leave(true)
    return entry
  }

  test('ends for one whose reply does not come, after five minutes', async () => {
    const it = counting()
    leaveWith202(it, 'a')
    await it.clock.advance(200_000)
    leaveWith202(it, 'b')
    await it.clock.advance(99_000)
    expect(() => it.check('ana')).toThrow('2 of your writes')
    await it.clock.advance(1_000)
    it.check('ana')
    expect(it.size()).toBe(1)
  })
  test('holds nobody to what was not heard: replies that cannot come, or may have passed by', () => {
    let heard = true
    const it = counting(() => heard)
    for (const id of ['a', 'b']) leaveWith202(it, id)
    it.missed()
    for (const id of ['c', 'd']) leaveWith202(it, id)
    expect(() => it.check('ana')).toThrow('rate-limited')
    heard = false
    it.check('ana')
    const here = it.enter(subject, true)
    leaveWith202(it, 'e')
    expect(() => it.enter({ ...subject, user: 'ben' }, true).leave(false)).not.toThrow()
    here.leave(false)
    expect(it.size()).toBe(0)
  })
  test('takes a reply that is faster than the mailbox, one that comes twice, and one to nobody', () => {
    const it = counting()
    const quick = it.enter(subject, true)
    quick.sentAs('a')
    it.resolve('a')
    it.resolve('a')
    it.resolve('nobody')
    expect([...it.waiting()]).toEqual([])
    it.enter(subject, true)
    it.enter(subject, true)
    quick.leave(true)
    expect(() => it.check('ana')).toThrow('rate-limited')
    expect([...it.waiting()].length).toBe(1)
  })
  test('of one that never reached the mailbox, or repeats another’s message, ends when its caller is answered', () => {
    const it = counting()
    it.enter(subject, true).leave(true)
    const [first, repeat] = [it.enter(subject, true), it.enter(subject, true)]
    first.sentAs('a')
    repeat.sentAs('a')
    repeat.leave(true)
    first.leave(true)
    expect(it.size()).toBe(1)
    it.resolve('a')
    expect(it.size()).toBe(0)
    leaveWith202(it, 'b')
    it.check('ana')
  })
})
