import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { Unsendable } from '../../actors/kernel/ports/mailbox/port.ts'
import { Unstorable } from '../../actors/kernel/ports/store/port.ts'
import { claimPlace } from '../../actors/kernel/turn/replies.ts'
import type { Envelope, Reply } from '../../contracts/declare/envelope.ts'
import { Operation, ProblemDocument } from '../../contracts/edge.ts'
import { soon, until } from '../../test/until.ts'
import { type Answering, fakeActor } from '../testing/actor.ts'
import { json, memoryPorts, type Sent, type TestEdgeOptions, testEdge } from '../testing/edge.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

const published = ({ id, by, data, at }: Envelope): Reply => ({
  status: 201,
  version: 1,
  body: { id: `post-${id}`, author: by, createdAt: at, ...(typeof data === 'object' ? data : {}) },
})
const draft = { title: 'Hello', content: 'First day' }

/** Two edges on the same engines, and the posts actor behind them. */
const mesh = async (answering: Answering = published, options: TestEdgeOptions = {}) => {
  const ports = memoryPorts()
  const one = await testEdge({ ports, ...options })
  const two = await testEdge({ ports, pool: one.pool, ...options })
  const actor = fakeActor(ports, 'posts.fifo', answering)
  cleanups.push(actor.stop, one.edge.close, two.edge.close)
  const post = (sent: Sent = {}, edge = one) => edge.call('POST', '/v1/posts', { token: one.token, body: draft, ...sent })
  const operation = async (id: string, sent: Sent = {}) => one.call('GET', `/v1/operations/${id}`, sent)
  return { ...one, two, ports, actor, post, operation }
}
/** An answer that waits until it is let go. */
const gate = () => {
  let open: () => void = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open: () => open(), opened }
}

describe('a write', () => {
  test('becomes one message, and the actor’s reply the answer', async () => {
    const { post, actor, user } = await mesh()
    const answer = await post({ headers: { 'x-request-id': 'r-1', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` } })
    const [envelope] = actor.taken
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `/v1/posts/post-${envelope?.id}`, 'content-type': 'application/json' },
    })
    expect(answer.headers.etag).toMatch(/^"1\./)
    expect(answer.headers['idempotency-replayed']).toBeUndefined()
    expect(envelope).toMatchObject({
      type: 'post.publish',
      key: `author#${user}/slot`,
      by: user,
      data: draft,
      reply: { durable: false },
      trace: { request: 'r-1', cause: null },
    })
    expect(actor.taken.length).toBe(1)
  })
  test('takes nothing from the body that is not the caller’s to say', async () => {
    const { call, actor, user } = await mesh(() => ({ status: 204 }))
    const POST_ID = `${randomUUID()}.20261120.000001`
    await call('DELETE', `/v1/posts/${POST_ID}`, { body: { by: 'somebody', postId: 'another', likeCount: 9 } })
    expect(actor.taken[0]).toMatchObject({ by: user, data: { postId: POST_ID } })
  })
  test('that is refused is a problem', async () => {
    const { post } = await mesh(() => ({ status: 409, problem: { code: 'already-posted-today', detail: 'tomorrow again' } }))
    const answer = await post()
    expect([answer.status, ProblemDocument.parse(json(answer))]).toMatchObject([
      409,
      { code: 'already-posted-today', detail: 'tomorrow again', type: '/docs/problems/already-posted-today', instance: '/v1/posts' },
    ])
  })
  test('with no body to answer is a 204 without one', async () => {
    const { call } = await mesh(() => ({ status: 204 }))
    const answer = await call('DELETE', `/v1/posts/${randomUUID()}.20261120.000001`)
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([204, '', undefined])
  })
  test('carries the content versions of If-Match', async () => {
    const { call, actor } = await mesh(() => ({ status: 412, problem: { code: 'version-mismatch' } }))
    const edit = (ifMatch?: string) =>
      call('PATCH', `/v1/posts/${randomUUID()}.20261120.000001`, {
        body: { title: 'x' },
        headers: { 'content-type': 'application/merge-patch+json', ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
      })
    for (const given of ['"3.abc", "4.def"', '*', 'W/"3.abc"', undefined]) await edit(given)
    expect(actor.taken.map(e => e.ifMatch)).toEqual([[3, 4], '*', [], undefined])
    for (const given of ['"3.abc", W/"4.def"', '*'])
      await call('DELETE', `/v1/posts/${randomUUID()}.20261120.000001`, { headers: { 'if-none-match': given } })
    expect(actor.taken.slice(4).map(e => e.ifNoneMatch)).toEqual([[3, 4], '*'])
  })
  test('with a condition that cannot be read is refused, and is not sent', async () => {
    const { call, actor } = await mesh(() => ({ status: 204 }))
    for (const name of ['if-match', 'if-none-match']) {
      const answer = await call('DELETE', `/v1/posts/${randomUUID()}.20261120.000001`, { headers: { [name]: '3.abc' } })
      expect([answer.status, ProblemDocument.parse(json(answer)).code]).toEqual([400, 'bad-request'])
    }
    expect(actor.taken).toEqual([])
  })
  test('stands for another request to an idempotency key when its conditions differ', async () => {
    const { call } = await mesh(() => ({ status: 204 }))
    const path = `/v1/posts/${randomUUID()}.20261120.000001`
    const remove = async (headers: Record<string, string>) =>
      (await call('DELETE', path, { headers: { 'idempotency-key': 'k', ...headers } })).status
    expect(await remove({ 'if-none-match': '"1.a"' })).toBe(204)
    expect(await remove({ 'if-none-match': '"1.b"' })).toBe(204)
    for (const other of [{}, { 'if-match': '"1.a"' }, { 'if-none-match': '"2.a"' }, { 'if-none-match': '*' }])
      expect(await remove(other)).toBe(422)
  })
  test('survives characters that no queue takes', async () => {
    const { post, actor } = await mesh()
    expect((await post({ body: { title: 'a\uFFFEb\uFFFF', content: '😀' } })).status).toBe(201)
    expect(actor.taken[0]?.data).toEqual({ title: 'a\uFFFEb\uFFFF', content: '😀' })
  })
  test('that cannot be sent, as the mailbox fails, may be tried again', async () => {
    const ports = memoryPorts()
    const mailbox = { ...ports.mailbox, send: () => Promise.reject(new Error('the queue is gone')) }
    const { call } = await testEdge({ ports: { ...ports, mailbox } })
    const answer = await call('POST', '/v1/posts', { body: draft })
    expect([answer.status, answer.headers['retry-after'], ProblemDocument.parse(json(answer)).code]).toEqual([503, '2', 'overloaded'])
    expect(answer.body).not.toContain('the queue is gone')
  })
})

describe('what the edge makes wrong itself', () => {
  test('is no mailbox that fails: who asks again in two seconds would be told the same', async () => {
    const ports = memoryPorts()
    const refusal = Object.assign(new Error('Value for parameter MessageGroupId is invalid'), {
      name: 'InvalidParameterValue',
      $fault: 'client',
    })
    for (const thrown of [refusal, new Unsendable('its group has 129 characters'), new TypeError('undefined is not a function')]) {
      const mailbox = { ...ports.mailbox, send: () => Promise.reject(thrown) }
      const { call } = await testEdge({ ports: { ...ports, mailbox } })
      const answer = await call('POST', '/v1/posts', { body: draft })
      expect([answer.status, answer.headers['retry-after'], ProblemDocument.parse(json(answer)).code]).toEqual([
        500,
        undefined,
        'internal-error',
      ])
      expect(answer.body).not.toContain(thrown.message)
    }
  })
})

describe('who does not wait', () => {
  test('gets an operation at once, and the result there', async () => {
    const held = gate()
    const { post, operation, actor } = await mesh(async e => held.opened.then(() => published(e)))
    const answer = await post({ headers: { prefer: 'respond-async' } })
    const accepted = Operation.parse(json(answer))
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/v1/operations/${accepted.id}`, 'preference-applied': 'respond-async' },
    })
    expect(accepted).toEqual({ id: accepted.id, status: 'pending', result: null, problem: null })
    expect(json(await operation(accepted.id))).toEqual(accepted)
    expect(await until('the message', () => actor.taken[0])).toMatchObject({ reply: { durable: true } })
    held.open()
    await until('the message to be done', () => actor.done[0])
    expect(json(await operation(accepted.id))).toMatchObject({ id: accepted.id, status: 'done', result: draft, problem: null })
  })
  test('gets it when the reply takes longer than preferred', async () => {
    const held = gate()
    const { post } = await mesh(async e => held.opened.then(() => published(e)))
    const answer = await post({ headers: { prefer: 'wait=1' } })
    expect([answer.status, answer.headers['preference-applied']]).toEqual([202, 'wait=1'])
    held.open()
  })
  test('gets it at once from an edge that waits for nobody any more, although its key was claimed only then', async () => {
    const ports = memoryPorts()
    const clock = virtualClock(Date.now())
    const claiming = gate()
    const slow: typeof ports.store.commit = writes => claiming.opened.then(() => ports.store.commit(writes))
    const { edge, call } = await testEdge({ clock, ports: { ...ports, store: { ...ports.store, commit: slow } } })
    cleanups.push(edge.close)
    const answer = call('POST', '/v1/posts', { body: draft, headers: { 'idempotency-key': 'k', prefer: 'wait=20' } })
    edge.release()
    claiming.open()
    // The clock stands still: nothing but the release ends the wait.
    const { status, headers } = await soon('the answer', answer)
    expect([status, headers.location]).toEqual([202, expect.stringMatching(/^\/v1\/operations\//)])
    expect((await ports.mailbox.depth('posts.fifo')).waiting).toBe(1)
  })
  test('sees a refusal as a failed operation', async () => {
    const { post, operation, actor } = await mesh(() => ({ status: 409, problem: { code: 'already-posted-today' } }))
    const { id } = Operation.parse(json(await post({ headers: { prefer: 'respond-async' } })))
    await until('the message to be done', () => actor.done[0])
    expect(json(await operation(id))).toMatchObject({
      status: 'failed',
      result: null,
      problem: { status: 409, code: 'already-posted-today' },
    })
  })
  test('can ask any edge, even when the backplane has forgotten; others cannot ask at all', async () => {
    const { post, two, pool, token, actor, ports } = await mesh()
    const { id } = Operation.parse(json(await post({ headers: { prefer: 'respond-async' } })))
    await until('the message to be done', () => actor.done[0])
    const forgetful = await testEdge({
      pool,
      ports: { ...ports, backplane: { ...ports.backplane, replyOf: () => Promise.reject(new Error('gone')) } },
    })
    for (const edge of [two, forgetful])
      expect(json(await edge.call('GET', `/v1/operations/${id}`, { token }))).toMatchObject({ status: 'done' })
    for (const [edge, what] of [[two, id] as const, [two, 'made-up'] as const, [two, randomUUID()] as const])
      expect((await edge.call('GET', `/v1/operations/${what}`)).status).toBe(404)
  })
  test('can ask for an hour after it was done, and is told pending for a day at most', async () => {
    const ports = memoryPorts()
    const clock = virtualClock(Date.now())
    const edge = await testEdge({ ports: { ...ports, backplane: { ...ports.backplane, replyOf: async () => undefined } }, clock })
    const held = gate()
    const actor = fakeActor(ports, 'posts.fifo', async e => held.opened.then(() => published(e)))
    cleanups.push(actor.stop)
    const accept = async () =>
      Operation.parse(json(await edge.call('POST', '/v1/posts', { body: draft, headers: { prefer: 'respond-async' } }))).id
    const status = async (id: string) => {
      // The same person with a fresh token: days go by.
      const answer = await edge.call('GET', `/v1/operations/${id}`, { token: edge.pool.token(edge.user, { expiresIn: 1_000_000 }) })
      return answer.status === 200 ? Operation.parse(json(answer)).status : answer.status
    }
    const waits = await accept()
    expect(await status(waits)).toBe('pending')
    held.open()
    await until('the message to be done', () => actor.done[0])
    expect(await status(waits)).toBe('done')
    await clock.advance(3_500_000)
    expect(await status(waits)).toBe('done')
    await clock.advance(200_000)
    expect(await status(waits)).toBe(404)
    await actor.stop()
    const never = Operation.parse(
      json(
        await edge.call('POST', '/v1/posts', {
          token: edge.pool.token(edge.user, { expiresIn: 1_000_000 }),
          body: draft,
          headers: { prefer: 'respond-async' },
        }),
      ),
    ).id
    await clock.advance(80_000_000)
    expect(await status(never)).toBe('pending')
    await clock.advance(7_000_000)
    expect(await status(never)).toBe(404)
  })
})

describe('an idempotency key', () => {
  const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })

  test('gives a repeat the first reply, on any edge, and the work is done once', async () => {
    const { post, two, actor } = await mesh()
    const [first, again, there] = [await post(keyed('k')), await post(keyed('k')), await post(keyed('k'), two)]
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined])
    for (const repeat of [again, there]) {
      expect(repeat).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true', etag: first.headers.etag } })
      expect(repeat.headers.location).toBe(first.headers.location)
    }
    expect(actor.done.length).toBe(1)
  })
  test('holds for concurrent requests on two edges', async () => {
    const held = gate()
    const { post, two, one, actor } = await mesh(async e => held.opened.then(() => published(e))).then(m => ({ ...m, one: m }))
    const answers = Promise.all(Array.from({ length: 10 }, (_, i) => post(keyed('k'), i % 2 === 0 ? one : two)))
    await until('the message', () => actor.taken[0])
    held.open()
    const all = await answers
    expect(new Set(all.map(a => a.body)).size).toBe(1)
    expect(all.map(a => a.status)).toEqual(all.map(() => 201))
    expect(all.filter(a => a.headers['idempotency-replayed'] === undefined).length).toBe(1)
    expect(new Set(actor.taken.map(e => e.id)).size).toBe(1)
    expect(actor.done.length).toBe(1)
  })
  test('gives refusals again too', async () => {
    const { post } = await mesh(() => ({ status: 409, problem: { code: 'already-posted-today' } }))
    await post(keyed('k'))
    expect(await post(keyed('k'))).toMatchObject({
      status: 409,
      headers: { 'idempotency-replayed': 'true', 'content-type': 'application/problem+json' },
    })
  })
  test('with another body is refused; the order of fields and unknown ones make no other body', async () => {
    const { post, actor } = await mesh()
    await post(keyed('k'))
    expect((await post({ ...keyed('k'), body: '{"unknown":1,"content":"First day","title":"Hello"}' })).status).toBe(201)
    const reused = await post({ ...keyed('k'), body: { ...draft, title: 'Other' } })
    expect([reused.status, ProblemDocument.parse(json(reused)).code]).toEqual([422, 'idempotency-key-reused'])
    expect(actor.done.length).toBe(1)
  })
  test('means nothing to another caller, method or path', async () => {
    const { call, pool, actor } = await mesh(() => ({ status: 200, body: { liked: true, likeCount: 1 } }))
    const ids = [1, 2].map(n => `${randomUUID()}.20261120.00000${n}`)
    for (const id of ids) for (const method of ['PUT', 'DELETE']) await call(method, `/v1/posts/${id}/like`, keyed('k'))
    await call('PUT', `/v1/posts/${ids[0]}/like`, { ...keyed('k'), token: pool.token(randomUUID()) })
    expect(actor.done.length).toBe(5)
  })
  test('whose first edge died before it sent the message lets the repeat send it', async () => {
    const ports = memoryPorts()
    const dying = await testEdge({ ports: { ...ports, mailbox: { ...ports.mailbox, send: () => Promise.reject(new Error('killed')) } } })
    expect((await dying.call('POST', '/v1/posts', { ...keyed('k'), body: draft })).status).toBe(503)
    const alive = await testEdge({ ports, pool: dying.pool })
    const actor = fakeActor(ports, 'posts.fifo', published)
    cleanups.push(actor.stop)
    const again = await alive.call('POST', '/v1/posts', { ...keyed('k'), body: draft, token: dying.token })
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true'])
    const [claim] = await ports.store.get([claimPlace(actor.taken[0]?.claim ?? '')])
    expect(claim?.messageId).toBe(actor.taken[0]?.id)
  })
  test('works when the backplane is down: the reply is read from the claim', async () => {
    const ports = memoryPorts()
    const gone = () => Promise.reject(new Error('the backplane is gone'))
    const deaf = {
      ...ports,
      backplane: { ...ports.backplane, replyOf: gone, trace: gone, health: () => ({ ok: false, reachable: false, error: 'gone' }) },
    }
    const edge = await testEdge({ ports: deaf })
    const held = gate()
    const actor = fakeActor({ ...ports, backplane: { ...ports.backplane, reply: async () => true } }, 'posts.fifo', async e =>
      held.opened.then(() => published(e)),
    )
    cleanups.push(actor.stop)
    const first = edge.call('POST', '/v1/posts', { ...keyed('k'), body: draft, headers: { ...keyed('k').headers, prefer: 'wait=0' } })
    expect((await first).status).toBe(202)
    const second = edge.call('POST', '/v1/posts', { ...keyed('k'), body: draft })
    held.open()
    expect((await second).status).toBe(201)
  })
  test('with respond-async gives the same operation while it is pending', async () => {
    const held = gate()
    const { post, actor } = await mesh(async e => held.opened.then(() => published(e)))
    const async = { headers: { 'idempotency-key': 'k', prefer: 'respond-async' } }
    const [first, again] = [await post(async), await post(async)]
    expect([again.status, again.headers.location, again.headers['idempotency-replayed']]).toEqual([202, first.headers.location, 'true'])
    held.open()
    await until('the message to be done', () => actor.done[0])
    expect(await post(async)).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } })
  })
})

test('what no store can keep is the edge’s own fault, and no reason to come back', async () => {
  const ports = memoryPorts()
  const refusing = () => Promise.reject(new Unstorable('an item is too large'))
  const { call } = await testEdge({ ports: { ...ports, store: { ...ports.store, commit: refusing } } })
  const answer = await call('POST', '/v1/posts', { body: draft, headers: { 'idempotency-key': 'k' } })
  expect([answer.status, ProblemDocument.parse(json(answer)).code]).toEqual([500, 'internal-error'])
})

describe('under load', () => {
  test('commands beyond the cap are shed, and taken again once there is room', async () => {
    const held = gate()
    const { post } = await mesh(async e => held.opened.then(() => published(e)), { pressure: { most: 3, ageMs: 60_000, stragglers: 100 } })
    const waiting = Promise.all([post(), post(), post()])
    const shed = await post()
    expect([shed.status, ProblemDocument.parse(json(shed)).code, shed.headers['retry-after']]).toEqual([503, 'overloaded', '2'])
    held.open()
    expect((await waiting).map(a => a.status)).toEqual([201, 201, 201])
    expect((await post()).status).toBe(201)
  })
  test('commands of an actor are shed when it leaves many people waiting about many things, those of other actors are not', async () => {
    const clock = virtualClock(Date.now())
    const edge = await testEdge({ clock, pressure: { most: 1000, ageMs: 1_000, stragglers: 2 } })
    const publish = (token = edge.pool.token(randomUUID())) => edge.call('POST', '/v1/posts', { token, body: draft })
    const slow = [publish(), publish()]
    await clock.advance(1_500)
    const third = publish()
    await clock.advance(1_500)
    expect((await publish()).status).toBe(503)
    const other = edge.call('PATCH', '/v1/users/me', { body: { firstName: 'Ana' } })
    await clock.advance(5_100)
    expect((await Promise.all([...slow, third, other])).map(a => a.status)).toEqual([202, 202, 202, 202])
    const after = publish()
    await clock.advance(5_100)
    expect((await after).status).toBe(202)
  })
})

test('a sampled request leaves the edge’s span, a write as well as a read', async () => {
  const { post, call, ports } = await mesh()
  const traced = (id: string, sampled = true) => ({
    headers: { 'x-request-id': id, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-0${sampled ? 1 : 0}` },
  })
  await post(traced('written'))
  await call('GET', '/v1/timeline', traced('read'))
  await post(traced('unseen', false))
  const spans = async (id: string) =>
    (await ports.backplane.spans(id)).map(({ actor, what, cause, outcome }) => [actor, what, cause, outcome])
  expect(await spans('written')).toEqual([['edge', 'post.publish', null, '201']])
  expect(await spans('read')).toEqual([['edge', 'timeline.get', null, '404']])
  expect(await spans('unseen')).toEqual([])
})

test('who has their requests traced again and again has a budget of traces, and others have theirs', async () => {
  const { post, call, ports, pool, actor } = await mesh()
  const sampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const traced = (id: string) => ({ headers: { 'x-request-id': id, traceparent: sampled } })
  for (let n = 0; n < 40; n++) expect((await call('GET', '/v1/timeline', traced('again'))).status).toBe(404)
  expect((await ports.backplane.spans('again')).length).toBeLessThan(40)
  // What is over budget leaves no trace at the actors either.
  await post(traced('over'))
  expect(await ports.backplane.spans('over')).toEqual([])
  expect(actor.taken[0]?.trace).toEqual({ request: 'over', cause: null, traceparent: sampled.replace(/01$/, '00') })
  await call('GET', '/v1/timeline', { ...traced('other'), token: pool.token(randomUUID()) })
  expect(await ports.backplane.spans('other')).toHaveLength(1)
})
