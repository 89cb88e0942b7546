import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { ProblemDocument } from '../../contracts/edge.ts'
import { ReplyFrame } from '../../contracts/frames.ts'
import { mesh } from '../../contracts/mesh.ts'
import { until } from '../../test/until.ts'
import { json, type Sent, testEdge } from '../testing/edge.ts'
import { connect } from '../testing/socket.ts'

/** What a refusal says: a typo is told from what is not there, and what is hidden is not told from that. */

const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})
const world = async () => {
  const it = await testEdge()
  closes.push(it.edge.close)
  const refusal = async (method: string, target: string, sent?: Sent) => {
    const problem = ProblemDocument.parse(json(await it.call(method, target, sent)))
    expect(problem.detail).not.toBe(problem.title)
    return problem
  }
  const device = await connect(it.edge.sockets, { token: it.token, protocols: 'dailygrind.v1' })
  const replyTo = async (frame: object) => {
    const id = randomUUID()
    device.say({ op: 'send', id, ...frame })
    const found = await until('the reply', () => device.frames.find(f => f.op === 'reply' && f.id === id))
    const { status, body } = ReplyFrame.parse(found)
    return { status, ...ProblemDocument.omit({ status: true }).parse(body) }
  }
  return { refusal, replyTo }
}
const person = randomUUID()
const ID = { post: `${person}.20261120.000001`, comment: `${randomUUID()}.${person}` }
const LONG = [
  `${person}.20261120.${'1'.repeat(71)}`,
  `${person}.20261120.${'9'.repeat(1100)}`,
  `${person}.20261120.0000001`,
  `${person}.202611201.000001`,
]

test('a route that is none is named', async () => {
  const { refusal } = await world()
  expect(await refusal('GET', '/v1/nope')).toMatchObject({ status: 404, detail: 'no route GET /v1/nope' })
  expect(await refusal('GET', `/v1/${'x'.repeat(3000)}`)).toMatchObject({
    status: 404,
    detail: expect.stringMatching(/^no route GET .{150,250}$/),
  })
  expect(await refusal('PURGE', '/v1/timeline')).toMatchObject({ status: 405, detail: '/v1/timeline takes GET, HEAD, OPTIONS' })
  expect(await refusal('GET', '/docs/problems/nope')).toMatchObject({ status: 404, detail: expect.stringContaining('nope') })
  expect(await refusal('GET', '/v1/operations/x')).toMatchObject({ status: 404, detail: expect.stringContaining('no operation') })
})
test('a message of the stream that is none is named', async () => {
  const { replyTo } = await world()
  expect(await replyTo({ type: 'no.such', data: {} })).toMatchObject({ status: 404, detail: '`no.such` is no message of the stream' })
  // neither the mesh's own nor a question is one
  for (const type of ['post.sweep', 'post.get', '__proto__'])
    expect(await replyTo({ type, data: {} })).toMatchObject({ status: 404, detail: `\`${type}\` is no message of the stream` })
  expect(await replyTo({ data: {} })).toMatchObject({ status: 404, detail: expect.stringContaining('type') })
  expect((await replyTo({ type: 'x'.repeat(60_000) })).detail?.length).toBeLessThan(300)
})

describe('an id that can be none', () => {
  test('is named, over HTTP and over the stream', async () => {
    const { refusal, replyTo } = await world()
    for (const postId of ['x', 'undefined', ...LONG]) {
      const detail = '`postId` is no id of a post'
      expect(await refusal('GET', `/v1/posts/${postId}`), postId).toMatchObject({ status: 404, detail })
      expect(await refusal('PUT', `/v1/posts/${postId}/like`), postId).toMatchObject({ status: 404, detail })
      expect(await replyTo({ type: 'post.like', data: { postId } }), postId).toMatchObject({ status: 404, detail })
    }
    expect(await refusal('GET', '/v1/users/someone')).toMatchObject({ status: 404, detail: '`userId` is no id of a person' })
    const comment = await refusal('DELETE', `/v1/posts/${ID.post}/comments/${'a'.repeat(200)}`)
    expect(comment).toMatchObject({ status: 404, detail: '`commentId` is no id of a comment' })
    const subscription = await refusal('DELETE', `/v1/push/subscriptions/${'a'.repeat(65)}`)
    expect(subscription).toMatchObject({ status: 404, detail: '`id` is no id of a subscription' })
  })
  test('is a 404 on every route, however long, and in every frame', async () => {
    const { refusal, replyTo } = await world()
    const bad = ['x'.repeat(200), '1'.repeat(1100), `${person}%00`, `${person}.${'1'.repeat(300)}`, '%F0%9F%98%80', ...LONG.slice(0, 2)]
    for (const { method, path } of mesh.routes.filter(r => r.path.includes('{')))
      for (const id of bad)
        expect(await refusal(method, path.replace(/\{\w+\}/g, id)), `${method} ${path} ${id}`).toMatchObject({
          status: 404,
          code: 'not-found',
        })
    for (const [type, { command }] of mesh.commands)
      for (const [, name = ''] of (command.http ?? '').matchAll(/\{(\w+)\}/g)) {
        const data = { userId: person, postId: ID.post, commentId: ID.comment, content: 'x', [name]: `${person}.${'1'.repeat(300)}` }
        expect(await replyTo({ type, data }), type).toMatchObject({ status: 404, detail: expect.stringContaining(`\`${name}\``) })
      }
  })
  test('is invalid where it is no text', async () => {
    const { replyTo } = await world()
    expect(await replyTo({ type: 'post.like', data: { postId: 7 } })).toMatchObject({
      status: 422,
      errors: [{ pointer: '/postId', message: 'must be text, not a number' }],
    })
    expect(await replyTo({ type: 'post.like', data: {} })).toMatchObject({ status: 422, detail: '/postId is required' })
  })
})

test('what is wrong with a body is said in plain words', async () => {
  const { refusal } = await world()
  const { errors } = await refusal('PUT', '/v1/users/me', {
    body: { lastName: 7, headline: 'x'.repeat(161), bio: [], birthday: '1990-02-30', language: 'en_US', timeZone: 'Mars' },
  })
  expect(Object.fromEntries((errors ?? []).map(e => [e.pointer, e.message]))).toEqual({
    '/firstName': 'is required',
    '/lastName': 'must be text, not a number',
    '/headline': 'must have at most 160 characters, not 161',
    '/bio': 'must be text, not a list',
    '/birthday': 'must be a date such as 1990-12-31',
    '/language': expect.stringMatching(/^must be a BCP 47 language tag/),
    '/timeZone': expect.stringMatching(/^must be an IANA time zone/),
  })
})
test('half of a surrogate pair is no text of a field', async () => {
  const { refusal } = await world()
  const body = '{"firstName":"A\\ud83d","lastName":"B"}'
  expect(await refusal('PUT', '/v1/users/me', { body })).toMatchObject({ status: 422, errors: [{ pointer: '/firstName' }] })
})
test('a challenge names a fault only of a token that was sent', async () => {
  const it = await testEdge()
  closes.push(it.edge.close)
  const challenge = async (headers: Record<string, string>) => {
    const answer = await it.call('GET', '/v1/timeline', { token: '', headers })
    return [answer.status, ProblemDocument.parse(json(answer)).code, answer.headers['www-authenticate']]
  }
  const none = [401, 'invalid-token', 'Bearer']
  expect(await challenge({})).toEqual(none)
  for (const authorization of ['Basic YTpi', 'Digest x', '', 'x']) expect(await challenge({ authorization })).toEqual(none)
  for (const authorization of ['Bearer', 'Bearer ', 'Bearer a b', 'bearer "x"', 'Bearer ä'])
    expect(await challenge({ authorization }), authorization).toEqual([401, 'invalid-token', 'Bearer error="invalid_request"'])
  for (const authorization of ['Bearer x.y.z', 'bearer abc', `Bearer ${'a'.repeat(9000)}`])
    expect(await challenge({ authorization }), authorization).toEqual([401, 'invalid-token', 'Bearer error="invalid_token"'])
})
