import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ProblemDocument } from '../../contracts/edge.ts'
import { json, memoryPorts, type Sent, testEdge, viewsWith } from '../testing/edge.ts'

const Page = z.object({ items: z.array(z.number()), next: z.string().nullable() })

/** A list of the numbers below 45, and what its view was asked. */
const listed = async () => {
  const asked: unknown[] = []
  const edge = await testEdge({
    views: viewsWith({
      'post.list': async request => {
        asked.push(request)
        const from = Number(request.after ?? 0)
        const items = Array.from({ length: Math.max(0, Math.min(request.limit, 45 - from)) }, (_, i) => from + i)
        return { items, next: from + request.limit < 45 ? String(from + request.limit) : null }
      },
      'friend.requests': async () => ({ items: [], next: 'there' }),
      'timeline.get': async () => ({ items: [], next: null, covers: { from: null, to: null, complete: true } }),
    }),
  })
  const page = async (target: string, sent?: Sent) => Page.parse(json(await edge.call('GET', target, sent)))
  const refusal = async (target: string, sent?: Sent) => ProblemDocument.parse(json(await edge.call('GET', target, sent)))
  return { ...edge, asked, page, refusal }
}

describe('a list', () => {
  test('is read page by page, each item once', async () => {
    const { page } = await listed()
    const items: number[] = []
    for (let next: string | null = ''; next !== null; ) {
      const found: z.infer<typeof Page> = await page(`/v1/users/me/posts?limit=10${next === '' ? '' : `&cursor=${next}`}`)
      items.push(...found.items)
      next = found.next
    }
    expect(items).toEqual(Array.from({ length: 45 }, (_, i) => i))
  })
  test('has 20 items when nobody says how many, and knows who asks', async () => {
    const { page, asked, user } = await listed()
    expect((await page('/v1/users/me/posts')).items.length).toBe(20)
    expect(asked[0]).toMatchObject({ by: user, data: { userId: user }, limit: 20, after: undefined })
  })
  test('refuses limits outside 1 to 100', async () => {
    const { refusal, page } = await listed()
    for (const limit of ['0', '101', '-1', '1.5', 'x', '', '1e1', '0x10', '99999999999999999999'])
      expect(await refusal(`/v1/users/me/posts?limit=${limit}`), limit).toMatchObject({
        status: 422,
        code: 'validation-failed',
        errors: [{ pointer: '/limit' }],
      })
    expect((await page('/v1/users/me/posts?limit=100')).items.length).toBe(45)
  })
  test('refuses cursors of other lists, other callers, and made-up ones', async () => {
    const { page, refusal, pool, user, call } = await listed()
    const { next } = await page('/v1/users/me/posts?limit=1')
    const other = pool.token('0190a000-0000-7000-8000-0000000000aa')
    const incoming = Page.parse(json(await call('GET', '/v1/users/me/friend-requests')))
    const bad = { status: 422, code: 'bad-cursor' }
    expect(await refusal(`/v1/users/me/posts?cursor=${next}`, { token: other })).toMatchObject(bad)
    expect(await refusal(`/v1/users/${user}/posts?cursor=${next}`, { token: other })).toMatchObject(bad)
    expect(await refusal(`/v1/users/me/friend-requests?cursor=${next}`)).toMatchObject(bad)
    expect(await refusal(`/v1/users/me/friend-requests?direction=outgoing&cursor=${incoming.next}`)).toMatchObject(bad)
    for (const cursor of ['', '1', 'null', '%00', `${next}x`])
      expect(await refusal(`/v1/users/me/posts?cursor=${cursor}`), cursor).toMatchObject(bad)
    expect((await page(`/v1/users/${user}/posts?limit=1&cursor=${next}`)).items).toEqual([1])
  })
  test('keeps what its view says besides', async () => {
    const { call } = await listed()
    expect(json(await call('GET', '/v1/timeline?include=self'))).toEqual({
      items: [],
      next: null,
      covers: { from: null, to: null, complete: true },
    })
  })
})

describe('what carries an ETag', () => {
  const POST = '/v1/posts/0190a000-0000-7000-8000-000000000001.20261120.000001'
  const versioned = async () => {
    let body = { title: 'one', likeCount: 0 }
    const edge = await testEdge({ views: viewsWith({ 'post.get': async () => ({ body, version: 4 }) }) })
    const get = (etag?: string) => edge.call('GET', POST, { headers: etag === undefined ? {} : { 'if-none-match': etag } })
    return { get, change: (to: typeof body) => (body = to) }
  }

  test('is not sent again to who has it', async () => {
    const { get, change } = await versioned()
    const first = await get()
    expect(first.headers.etag).toMatch(/^"4\.[\w-]+"$/)
    const again = await get(first.headers.etag)
    expect([again.status, again.body, again.headers.etag]).toEqual([304, '', first.headers.etag])
    change({ title: 'one', likeCount: 1 })
    expect((await get(first.headers.etag)).status).toBe(200)
  })
  test('is not given to who asks for another content version, by GET or HEAD', async () => {
    const edge = await testEdge({ views: viewsWith({ 'post.get': async () => ({ body: { title: 'one' }, version: 4 }) }) })
    for (const method of ['GET', 'HEAD']) {
      const status = async (header: string) => (await edge.call(method, POST, { headers: { 'if-match': header } })).status
      expect(await Promise.all(['"4.other"', '*', '"3.x"', 'W/"4.x"', '4.x'].map(status))).toEqual([200, 200, 412, 412, 400])
    }
  })
})

test('a store that fails is a problem of the moment', async () => {
  const ports = memoryPorts()
  const store = { ...ports.store, get: () => Promise.reject(new Error('throttled')), query: () => Promise.reject(new Error('throttled')) }
  const edge = await testEdge({
    ports: { ...ports, store },
    views: viewsWith({
      'user.me': async (_, read) => ({
        body: await read.all([{ kind: 'ref', record: RECORD, place: { table: 'users', pk: 'a', sk: 'b' } }]),
      }),
    }),
  })
  const answer = await edge.call('GET', '/v1/users/me')
  expect([answer.status, answer.headers['retry-after'], ProblemDocument.parse(json(answer)).code]).toEqual([503, '2', 'overloaded'])
})
const RECORD = { kind: 'row', table: 'users', pk: '{a}', sk: '{b}', subject: 'a', value: z.object({}) } as const
