import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { memoryBackplane } from '../../actors/kernel/ports/backplane/memory.ts'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { memoryStore } from '../../actors/kernel/ports/store/memory.ts'
import { operationPlace } from '../../actors/kernel/turn/replies.ts'
import { Envelope } from '../../contracts/declare/envelope.ts'
import { ProblemDocument } from '../../contracts/edge.ts'
import { until } from '../../test/until.ts'
import { json, memoryPorts, testEdge } from '../testing/edge.ts'

const draft = { title: 'Title', content: 'Content' }
const Id = z.object({ id: z.string() })
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean()
})

/** An edge whose commands a test takes out of the mailbox itself. */
const mesh = async () => {
  const clock = virtualClock(Date.parse('2026-11-20T12:00:00.000Z'))
  const ports = { ...memoryPorts(), clock, backplane: memoryBackplane({ clock }), store: memoryStore({ clock }) }
  const sent: Envelope[] = []
  const mailbox = {
    ...ports.mailbox,
    send: async (_: string, { body }: { body: string }) => void sent.push(Envelope.parse(JSON.parse(body))),
  }
  const it = await testEdge({ ports: { ...ports, mailbox }, clock })
  cleanups.push(it.edge.close)
  const token = it.pool.token(it.user, { expiresIn: 10 * 86_400 })
  const next = () => until('a message', () => sent.shift())
  return { ...it, clock, ports, next, call: (m: string, path: string, more = {}) => it.call(m, path, { token, ...more }) }
}

test('a reply that its caller has leaves nothing on the backplane, and no operation', async () => {
  const { call, ports, next } = await mesh()
  const answer = call('POST', '/v1/posts', { body: draft })
  const { id, reply: to } = await next()
  expect(await ports.backplane.reply(to?.to ?? '', id, { status: 201, body: { id: 'p' } })).toBe(true)
  expect((await answer).status).toBe(201)
  await until('it to be forgotten', async () => ((await ports.backplane.replyOf(id)) === undefined ? true : undefined))
  expect(await ports.store.get([operationPlace(id)])).toEqual([undefined])
})

test('a reply that comes after its caller was sent away is the operation, for its hour', async () => {
  const { call, ports, clock, next } = await mesh()
  const waiting = call('POST', '/v1/posts', { body: draft })
  const { id, reply: to } = await next()
  await clock.advance(5_100)
  const accepted = await waiting
  expect([accepted.status, accepted.headers['retry-after']]).toEqual([202, '1'])
  const path = accepted.headers.location ?? ''
  const pending = await call('GET', path)
  expect([json(pending), pending.headers['retry-after']]).toMatchObject([{ status: 'pending', result: null, problem: null }, '1'])

  // A clock that is behind thinks that it comes in time.
  const made = { status: 201, body: { id: 'p' }, version: 1, location: '/v1/posts/p' }
  await ports.backplane.reply(to?.to ?? '', id, made)
  await until('the row', async () => (await ports.store.get([operationPlace(id)]))[0])
  await clock.advance(50 * 60_000)
  const done = await call('GET', path)
  expect(json(done)).toEqual({ id: Id.parse(json(done)).id, status: 'done', result: { id: 'p' }, problem: null })
  expect(done.headers).toMatchObject({ 'operation-status': '201', location: '/v1/posts/p', etag: expect.stringMatching(/^"1\..+"$/) })
  expect(done.headers['retry-after']).toBeUndefined()
  await clock.advance(10 * 60_000)
  expect(ProblemDocument.parse(json(await call('GET', path))).code).toBe('not-found')
})

test('an operation that was found on the backplane only is kept from then on', async () => {
  const { call, ports, clock, next } = await mesh()
  const waiting = call('POST', '/v1/posts', { body: draft })
  const { id } = await next()
  await clock.advance(5_100)
  const path = (await waiting).headers.location ?? ''
  // Word of it is lost on the way to the edge.
  expect(await ports.backplane.reply('an-edge-that-is-gone', id, { status: 201, body: { id: 'p' } })).toBe(false)
  expect(json(await call('GET', path))).toMatchObject({ status: 'done' })
  await clock.advance(60_000)
  expect(json(await call('GET', path))).toMatchObject({ status: 'done' })
})
