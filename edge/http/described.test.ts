import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { productOf } from '../../actors/product.ts'
import { ProblemDocument } from '../../contracts/edge.ts'
import { mesh } from '../../contracts/mesh.ts'
import { operationIds, operations } from '../commands/operations.ts'
import type { EdgeAnswer } from '../request/request.ts'
import { configFor, json, memoryPorts, request, type Sent, type TestEdge, testEdge } from '../testing/edge.ts'
import { newPool } from '../testing/pool.ts'
import { clientConfig } from './client-config.ts'
import { systemEndpoints } from './system-endpoints.ts'

/** What the edge serves is what `/openapi.json` says: every route, and every status and code that comes before an actor or a view is asked. */

const Described = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
})
let it: TestEdge
let paths: z.infer<typeof Described>['paths']
beforeAll(async () => {
  it = await testEdge()
  paths = Described.parse(json(await it.call('GET', '/openapi.json'))).paths
})
afterAll(() => it.edge.close())

const served = () => {
  const { store, backplane, clock } = memoryPorts()
  const config = configFor(newPool())
  const { client, ...documented } = productOf(config)
  const own = systemEndpoints({
    documented,
    health: it.edge.health,
    operations: operations(operationIds({ mesh: 'test', secret: 'a secret of the test' }), store, backplane, clock, mesh.problems),
    config: clientConfig(config, client),
    host: () => 'edge.test',
    secure: true,
  })
  return [...mesh.routes, ...own].map(({ method, path }) => `${method} ${path}`).sort()
}
const described = () =>
  Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
    .sort()

test('each route that is served is described, and no other', () => {
  expect(described()).toEqual(served())
})
test('a path takes the methods that are described, and those that every path takes', async () => {
  for (const [path, methods] of Object.entries(paths)) {
    const all = Object.keys(methods).map(m => m.toUpperCase())
    const allow = [...all, ...(all.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ')
    const target = path.replace(/\{\w+\}/g, 'x')
    expect((await it.call('OPTIONS', target)).headers.allow, path).toBe(allow)
    const other = await it.call('PURGE', target)
    expect([other.status, other.headers.allow], path).toEqual([405, allow])
  }
})

describe('an answer is described, when', () => {
  const bodies: readonly (readonly [string, Sent])[] = [
    ['the body is no JSON', { body: '{' }],
    ['the body is no object', { body: '[]' }],
    ['the body is no text', { body: new Uint8Array([0xff]) }],
    ['the body has another type', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    ['the key is none', { body: {}, headers: { 'idempotency-key': 'a key' } }],
  ]
  const cases: readonly (readonly [string, string, Sent])[] = [
    ['there is no token', '', { token: '' }],
    ['the token is none', '', { token: 'x.y.z' }],
    ['a parameter comes twice', '?a=1&a=2', {}],
    ['the limit is none', '?limit=0', {}],
    ['the cursor is none', '?cursor=x', {}],
    ['it is known already', '', { headers: { 'if-none-match': '*' } }],
  ]
  const check = (what: string, answer: EdgeAnswer) => {
    const [method = '', path = ''] = what.split(' ')
    const response = JSON.stringify(paths[path]?.[method.toLowerCase()]?.responses[String(answer.status)])
    expect(response, `${what} answers ${answer.status} ${answer.body.slice(0, 200)}`).toBeDefined()
    for (const name of ['etag', 'location', 'preference-applied', 'retry-after', 'www-authenticate'])
      if (answer.headers[name] !== undefined) expect(response?.toLowerCase(), what).toContain(`/headers/${name}"`)
    if (answer.status < 400) return
    const { code, title, detail = title } = ProblemDocument.parse(json(answer))
    expect(response, what).toContain(`"${code}"`)
    expect(detail, `${what} says what was wrong this time`).not.toBe(title)
  }
  const ask = (what: string, query: string, sent: Sent) => {
    const [method = '', path = ''] = what.split(' ')
    // Nobody is there to reply.
    return it.call(method, path.replace(/\{\w+\}/g, 'x') + query, { ...sent, headers: { prefer: 'respond-async', ...sent.headers } })
  }
  // What a view or an actor answers is theirs to test.
  const isQuery = (what: string) => mesh.routes.some(r => r.spec.kind === 'query' && what === `${r.method} ${r.path}`)

  test.each(cases)('%s', async (_, query, sent) => {
    for (const what of described()) {
      const answer = await ask(what, query, sent)
      if (!isQuery(what) || answer.status !== 404) check(what, answer)
    }
  })
  test.each(bodies)('%s', async (_, sent) => {
    for (const what of described().filter(d => !d.startsWith('GET'))) check(what, await ask(what, '', sent))
  })
  test('the body is too large', async () => {
    for (const what of described()) {
      const [method = '', path = ''] = what.split(' ')
      check(what, await it.edge.handle({ ...request(method, path.replace(/\{\w+\}/g, 'x'), { token: it.token }), oversized: true }))
    }
  })
})
