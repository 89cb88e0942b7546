import { randomUUID } from 'node:crypto'
import { Registry } from 'prom-client'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { viewsOf } from '../actors/catalog.ts'
import { memoryBus } from '../actors/kernel/ports/events/memory.ts'
import { memoryJobs } from '../actors/kernel/ports/jobs/memory.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { startWorker } from '../actors/kernel/worker/worker.ts'
import { catalog } from '../actors/testing/catalog.ts'
import { mesh } from '../contracts/mesh.ts'
import { Post } from '../contracts/posts.ts'
import { until } from '../test/until.ts'
import { createEdge } from './core.ts'
import { json, memoryPorts, optionsFor, request, type Sent, silent, type TestEdgeOptions } from './testing/edge.ts'
import { connect } from './testing/socket.ts'

/** The real actors behind a real edge, on engines in memory: that what the two say to each other fits. */
const cleanups: (() => unknown)[] = []
afterAll(async () => {
  for (const clean of cleanups) await clean()
})

const start = async (config: TestEdgeOptions['config'] = {}) => {
  const memory = memoryPorts()
  const ports = {
    ...memory,
    events: memoryBus({ mailbox: memory.mailbox, topology: mesh.topology('') }),
    jobs: memoryJobs({ clock: memory.clock }),
  }
  const { pool, options } = optionsFor({ ports, config })
  const edge = await createEdge({ ...options, views: viewsOf(catalog) })
  edge.serving('edge.test')
  const counted = metrics(mesh, new Registry())
  const workers = catalog.map(code => startWorker({ mesh, code, ports, config: options.config, log: silent, metrics: counted }))
  cleanups.push(edge.close, ...workers.map(w => () => w.drain(1_000)))
  const person = async (firstName: string) => {
    const id = randomUUID()
    const token = pool.token(id)
    const call = (method: string, target: string, sent: Sent = {}) => edge.handle(request(method, target, { token, ...sent }))
    expect((await call('PUT', '/v1/users/me', { body: { firstName, lastName: 'Test' } })).status).toBe(201)
    return { id, token, call }
  }
  return { edge, person }
}

test('two friends share a day', async () => {
  const { edge, person } = await start()
  const [ana, ben] = [await person('Ana'), await person('Ben')]
  expect((await ana.call('PUT', `/v1/users/me/friend-requests/${ben.id}`)).status).toBe(201)
  expect((await ben.call('POST', `/v1/users/me/friend-requests/${ana.id}/accept`)).status).toBe(200)

  const device = await connect(edge.sockets, { token: ben.token })
  const published = await ana.call('POST', '/v1/posts', {
    body: { title: 'Hello', content: 'First day' },
    headers: { 'idempotency-key': 'k' },
  })
  expect(published.status).toBe(201)
  const path = published.headers.location ?? ''
  const post = Post.parse(json(published))
  expect(path).toBe(`/v1/posts/${post.id}`)
  expect(
    await ana.call('POST', '/v1/posts', { body: { title: 'Hello', content: 'First day' }, headers: { 'idempotency-key': 'k' } }),
  ).toMatchObject({
    body: published.body,
    headers: { 'idempotency-replayed': 'true', etag: published.headers.etag },
  })
  expect((await ana.call('POST', '/v1/posts', { body: { title: 'Again', content: 'x' } })).status).toBe(409)

  expect(json(await ben.call('PUT', `${path}/like`))).toEqual({ liked: true, likeCount: 1 })
  const seen = await ben.call('GET', path)
  expect(Post.parse(json(seen))).toMatchObject({ liked: true, likeCount: 1 })
  const edit = (etag: string) => ana.call('PATCH', path, { body: { title: 'Changed' }, headers: { 'if-match': etag } })
  const edited = await edit(published.headers.etag ?? '')
  expect([edited.status, Post.parse(json(edited)).title]).toEqual([200, 'Changed'])
  expect((await edit(published.headers.etag ?? '')).status).toBe(412)
  expect((await ben.call('GET', path, { headers: { 'if-none-match': seen.headers.etag ?? '' } })).status).toBe(200)

  const Page = z.object({ items: z.array(z.object({ id: z.string() })), next: z.string().nullable() })
  for (const content of ['one', 'two', 'three'])
    expect((await ben.call('POST', `${path}/comments`, { body: { content } })).status).toBe(201)
  const first = Page.parse(json(await ana.call('GET', `${path}/comments?limit=2`)))
  const second = Page.parse(json(await ana.call('GET', `${path}/comments?limit=2&cursor=${first.next}`)))
  expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null])
  expect(Page.parse(json(await ben.call('GET', '/v1/timeline'))).items.map(i => i.id)).toEqual([post.id])

  await until('the event', () => device.ofOp('event').find(e => e.type === 'post.published'))
  device.say({ op: 'send', id: 'm-1', type: 'post.unlike', data: { postId: post.id } })
  expect(await until('the reply', () => device.ofOp('reply')[0])).toMatchObject({
    id: 'm-1',
    status: 200,
    body: { liked: false, likeCount: 0 },
  })
  expect((await ben.call('DELETE', path)).status).toBe(403)
  expect((await ana.call('DELETE', path)).status).toBe(204)
  expect((await ben.call('GET', path)).status).toBe(404)
})

test('who asks for much of what does not exist, and for much of one post, costs others nothing', async () => {
  const { person } = await start()
  const [ana, ben, ...greedy] = [await person('Ana'), await person('Ben'), await person('Cas'), await person('Dee')]
  const nothing = `${ana.id}.20200101.000001`
  const likes = greedy.flatMap(({ call }) =>
    Array.from({ length: 390 }, () => call('PUT', `/v1/posts/${nothing}/like`, { headers: { prefer: 'wait=20' } })),
  )
  const rename = (who: typeof ana, n: number) => who.call('PATCH', '/v1/users/me', { body: { firstName: `Name ${n}` } })
  const others = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? ana : ben)).map(rename)
  const reads = Array.from({ length: 50 }, () => ben.call('GET', '/v1/users/me'))
  expect(new Set((await Promise.all([...others, ...reads])).map(a => a.status))).toEqual(new Set([200]))
  expect((await ana.call('POST', '/v1/posts', { body: { title: 'Hello', content: 'First day' } })).status).toBe(201)
  const statuses = (await Promise.all(likes)).map(a => a.status)
  expect(new Set(statuses)).toEqual(new Set([202, 404, 429]))
  // When their replies have come, they go on as everybody does.
  const [cas] = greedy
  expect(
    (
      await until('an answer', async () => {
        const answer = await cas?.call('PUT', `/v1/posts/${nothing}/like`)
        return answer?.status === 429 ? undefined : answer
      })
    ).status,
  ).toBe(404)
})

test('the reply to a write that nobody waits for ends it at the edge, too', async () => {
  const { person } = await start({ UNANSWERED_WRITES_PER_USER: '1' })
  const ana = await person('Ana')
  for (let n = 0; n < 5; n++) {
    const taken = await until('room for the next', async () => {
      const answer = await ana.call('PATCH', '/v1/users/me', { body: { firstName: `Name ${n}` }, headers: { prefer: 'respond-async' } })
      return answer.status === 429 ? undefined : answer
    })
    expect(taken.status).toBe(202)
  }
  expect(
    await until('the last name', async () => {
      const answer = await ana.call('GET', '/v1/users/me')
      return answer.body.includes('Name 4') ? answer.status : undefined
    }),
  ).toBe(200)
})
