import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { Operation, ProblemDocument } from '../../contracts/edge.ts'
import { ReplyFrame } from '../../contracts/frames.ts'
import { until } from '../../test/until.ts'
import { fakeActor } from '../testing/actor.ts'
import { json, memoryPorts, testEdge } from '../testing/edge.ts'
import { connect } from '../testing/socket.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const draft = { title: 'Hello', content: 'First day' }
const soon = async () => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate)
}
const DOCUMENT = { 'content-type': 'application/problem+json' }

/** What hangs until it is let go; what it does then, it does. */
const hanging = () => {
  let open = () => {}
  let held = new Set<string>()
  let opened = new Promise<void>(resolve => {
    open = resolve
  })
  return {
    hang: (...what: string[]) => {
      held = new Set(what)
      opened = new Promise<void>(resolve => {
        open = resolve
      })
    },
    letGo: () => {
      held = new Set()
      open()
    },
    through: <A extends unknown[], R>(what: string, call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        if (held.has(what)) await opened
        return call(...args)
      }
    },
  }
}

/** An edge whose engines can be made to hang, and the actors behind it. */
const world = async () => {
  const clock = virtualClock(Date.now())
  const ports = memoryPorts()
  const { hang, letGo, through } = hanging()
  const { store, mailbox, backplane } = ports
  const it = await testEdge({
    clock,
    ports: {
      ...ports,
      store: { get: through('get', store.get), query: through('query', store.query), commit: through('commit', store.commit) },
      mailbox: { ...mailbox, send: through('send', mailbox.send), depth: through('depth', mailbox.depth) },
      backplane: { ...backplane, replyOf: through('replyOf', backplane.replyOf) },
    },
  })
  cleanups.push(it.edge.close)
  const startActor = () => {
    const actor = fakeActor(ports, 'posts.fifo', ({ id }) => ({ status: 201, version: 1, body: { id: `post-${id}` } }))
    cleanups.push(actor.stop)
    return actor
  }
  /** What a call is answered, though nothing is let go, within so many ms. */
  const answerWithin = async (ms: number, call: ReturnType<typeof it.call>) => {
    for (let passed = 0; passed < ms; passed += 250) await clock.advance(250)
    await soon()
    return Promise.race([call, Promise.resolve(undefined)])
  }
  return { ...it, clock, hang, letGo, startActor, answerWithin }
}

describe('a write is answered within its wait', () => {
  test.each([
    ['the claim', ['commit']],
    ['the mailbox', ['send']],
    ['the claim, and then the mailbox', ['commit', 'send']],
    ['everything', ['commit', 'send', 'get', 'query', 'replyOf', 'depth']],
  ])('when %s hangs: not known to be done, so 503', async (_, engines) => {
    const { call, hang, letGo, answerWithin, startActor } = await world()
    const headers = { 'idempotency-key': 'k' }
    hang(...engines)
    const answer = await answerWithin(5_000, call('POST', '/v1/posts', { body: draft, headers }))
    expect(answer).toMatchObject({ status: 503, headers: { ...DOCUMENT, 'retry-after': '2' } })
    // What was begun goes on by itself; the repeat finds it and is told what the first would have been.
    letGo()
    const actor = startActor()
    const again = await call('POST', '/v1/posts', { body: draft, headers })
    expect([again.status, actor.done.length]).toEqual([201, 1])
  })

  test('that the caller prefers', async () => {
    const { call, hang, answerWithin, clock } = await world()
    hang('send')
    const one = call('POST', '/v1/posts', { body: draft, headers: { prefer: 'wait=1' } })
    const nine = call('POST', '/v1/posts', { body: draft, headers: { prefer: 'wait=9' } })
    expect(await answerWithin(1_000, one)).toMatchObject({ status: 503 })
    expect(await answerWithin(7_000, nine)).toBeUndefined()
    await clock.advance(1_000)
    expect((await nine).status).toBe(503)
  })

  test('and who does not wait for the reply, does not wait for ever for the mailbox', async () => {
    const { call, hang, answerWithin } = await world()
    hang('send')
    expect(await answerWithin(5_000, call('POST', '/v1/posts', { body: draft, headers: { prefer: 'respond-async' } }))).toMatchObject({
      status: 503,
    })
  })

  test('what a slow step leaves of it is left for the others; once the message is in the mailbox, 202 and the operation tells', async () => {
    const { call, hang, letGo, answerWithin, clock, startActor } = await world()
    hang('commit')
    const writing = call('POST', '/v1/posts', { body: draft, headers: { 'idempotency-key': 'k' } })
    await clock.advance(3_000)
    letGo()
    await soon()
    // Nobody answers, and then the last look for the reply hangs, too.
    hang('replyOf')
    const answer = await answerWithin(2_000, writing)
    expect(answer).toMatchObject({ status: 202 })
    letGo()
    startActor()
    const location = answer?.headers.location ?? ''
    const operation = await until('the end of it', async () => {
      const found = Operation.parse(json(await call('GET', location)))
      return found.status === 'pending' ? undefined : found
    })
    expect(operation.status).toBe('done')
  })

  test('a reply is an answer, though the mailbox has not confirmed', async () => {
    const clock = virtualClock(Date.now())
    const ports = memoryPorts()
    const send: typeof ports.mailbox.send = async (...message) => {
      await ports.mailbox.send(...message)
      await new Promise(() => {})
    }
    const { call, edge } = await testEdge({ clock, ports: { ...ports, mailbox: { ...ports.mailbox, send } } })
    const actor = fakeActor(ports, 'posts.fifo', ({ id }) => ({ status: 201, version: 1, body: { id: `post-${id}` } }))
    cleanups.push(actor.stop, edge.close)
    expect((await call('POST', '/v1/posts', { body: draft })).status).toBe(201)
  })

  test('on a socket, too, and so are those behind it', async () => {
    const { edge, token, hang, clock } = await world()
    hang('send', 'commit')
    const device = await connect(edge.sockets, { token })
    for (const id of ['a', 'b']) device.say({ op: 'send', id, type: 'post.publish', data: draft })
    await clock.advance(5_000)
    const replies = await until('both answers', () => (device.ofOp('reply').length === 2 ? device.ofOp('reply') : undefined))
    expect(replies.map(r => ReplyFrame.parse(r)).map(({ id, status }) => [id, status])).toEqual([
      ['a', 503],
      ['b', 503],
    ])
  })
})

test('a read is answered within 5 s, though the store hangs', async () => {
  const { call, hang, answerWithin } = await world()
  hang('get', 'query')
  const { headers } = await call('POST', '/v1/posts', { body: draft, headers: { prefer: 'respond-async' } })
  const answer = await answerWithin(5_000, call('GET', headers.location ?? ''))
  expect([answer?.status, ProblemDocument.parse(answer && json(answer)).code]).toEqual([503, 'overloaded'])
})

test('readiness says which engines hang, and liveness does not ask them', async () => {
  const { call, hang, answerWithin, edge } = await world()
  edge.serving('edge.test')
  hang('get', 'depth')
  expect((await call('GET', '/health/live')).status).toBe(200)
  const ready = await answerWithin(2_000, call('GET', '/health/ready'))
  expect(ready).toMatchObject({ status: 503 })
  expect(JSON.parse(ready?.body.toString() ?? '')).toMatchObject({ status: 'unavailable', dependencies: { backplane: { status: 'ok' } } })
})

test('a stranger’s wait is nobody’s: each request has an end of its own', async () => {
  const { call, hang, answerWithin, clock, pool } = await world()
  hang('send')
  const early = call('POST', '/v1/posts', { body: draft })
  await clock.advance(3_000)
  const later = call('POST', '/v1/posts', { body: draft, token: pool.token(randomUUID()) })
  expect(await answerWithin(2_000, early)).toMatchObject({ status: 503 })
  expect(await answerWithin(0, later)).toBeUndefined()
  await clock.advance(3_000)
  expect((await later).status).toBe(503)
})
