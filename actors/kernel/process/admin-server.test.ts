import { Counter, Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import type { Span } from '../ports/tracing/span.ts'
import { type Health, type Operations, startOperations } from './admin-server.ts'

let open: Operations[] = []
afterEach(async () => {
  await Promise.all(open.map(o => o.close()))
  open = []
})

const span: Span = { request: 'r-1', id: 'm', cause: null, actor: 'edge', what: 'post.like', at: 1, ms: 2, engine: [], outcome: '200' }
const begin = async (health: () => Health = () => ({ ok: true }), port = 0) => {
  const registry = new Registry()
  new Counter({ name: 'turns_total', help: 'Turns', registers: [registry] }).inc(3)
  const spans = async (request: string) => {
    if (request === 'r-lost') throw new Error('the backplane is gone')
    return request === span.request ? [span] : []
  }
  const server = await startOperations({ title: 'Count & Co.', port, host: '127.0.0.1', registry, health, spans })
  open.push(server)
  return { ...server, get: (path: string, method = 'GET') => fetch(`${server.url}${path}`, { method }) }
}

test('metrics, liveness, spans and a page are served', async () => {
  const { get } = await begin()
  const metrics = await get('/metrics')
  expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  expect(await metrics.text()).toContain('turns_total 3')
  expect((await get('/health/live')).status).toBe(200)
  expect(await (await get('/trace/r-1')).json()).toEqual([span])
  expect(await (await get('/trace/r-2')).json()).toEqual([])
  expect(await (await get('/')).text()).toContain('/metrics')
  expect(await (await get('/')).text()).toContain('<title>Count &#38; Co.: operations</title>')
})

test('readiness is what health says, with its parts', async () => {
  let health: Health = { ok: true, queues: [] }
  const { get } = await begin(() => health)
  expect((await get('/health/ready?verbose')).status).toBe(200)
  health = { ok: false, queues: [{ queue: 'posts.fifo', ok: false }] }
  const answer = await get('/health/ready')
  expect(answer.status).toBe(503)
  expect(await answer.json()).toEqual(health)
})

test('what fails, is unknown or is not asked for is said so', async () => {
  const { get } = await begin()
  const failed = await get('/trace/r-lost')
  expect(failed.status).toBe(503)
  expect(await failed.json()).toEqual({ error: 'the backplane is gone' })
  expect((await get('/trace/a%20b')).status).toBe(404)
  expect((await get('/elsewhere')).status).toBe(404)
  expect((await get('/metrics', 'POST')).status).toBe(405)
})

test('a port that is taken is named', async () => {
  const { url } = await begin()
  const port = Number(new URL(url).port)
  await expect(begin(undefined, port)).rejects.toThrow(`the operations port ${port} of 127.0.0.1 is in use`)
})
