import { beforeAll, describe, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { ClientConfig, ProblemDocument } from '../../contracts/edge.ts'
import { mesh } from '../../contracts/mesh.ts'
import { json, request, type Sent, type TestEdge, testEdge, viewsWith } from '../testing/edge.ts'

let it: TestEdge
beforeAll(async () => {
  it = await testEdge({
    config: { CORS_ORIGINS: 'https://app.test' },
    views: viewsWith({
      'post.get': async ({ data }) => ({ body: data, version: 7 }),
      'user.me': async () => ({ refused: 'profile-required' }),
      'block.list': async () => {
        throw new Error('a secret about the inside')
      },
    }),
  })
})
const call = (method: string, target: string, sent?: Sent) => it.call(method, target, sent)
const problem = async (method: string, target: string, sent?: Sent) => {
  const answer = await call(method, target, sent)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const document = ProblemDocument.parse(json(answer))
  expect(document.status).toBe(answer.status)
  return { ...document, headers: answer.headers }
}
const POST_ID = '0190a000-0000-7000-8000-000000000001.20261120.000001'

describe('routes', () => {
  test('every one of the contract wants a token first', async () => {
    for (const { method, path } of mesh.routes) {
      const target = path.replace('{postId}', POST_ID).replaceAll(/\{\w+\}/g, it.user)
      expect(await problem(method, target, { token: '' }), `${method} ${path}`).toMatchObject({
        status: 401,
        code: 'invalid-token',
        headers: { 'www-authenticate': 'Bearer' },
      })
    }
  })
  test('unknown ones, and paths that only look like known ones, are not found', async () => {
    for (const path of [
      '/nope',
      '/v1',
      '/v1/users/',
      '//v1/users/me',
      '/v1/users/me/../me',
      '/v1/posts/%00',
      '/v1/posts/%2f',
      '/v1/posts/%ff',
      '/v1/posts/__proto__',
    ])
      expect(await problem('GET', path), path).toMatchObject({ status: 404, code: 'not-found', instance: path })
  })
  test('a method that a path does not take is told those that it takes', async () => {
    expect(await problem('POST', '/v1/users/me')).toMatchObject({
      status: 405,
      code: 'method-not-allowed',
      headers: { allow: 'GET, HEAD, OPTIONS, PATCH, PUT' },
    })
    for (const method of ['TRACE', 'BREW', 'get', '']) expect((await call(method, '/v1/timeline')).status, method).toBe(405)
  })
  test('HEAD is GET without the body', async () => {
    const [get, head] = [await call('GET', `/v1/posts/${POST_ID}`), await call('HEAD', `/v1/posts/${POST_ID}`)]
    expect(head).toMatchObject({ status: 200, head: true })
    expect(head.headers.etag).toBe(get.headers.etag)
  })
  test('an id that cannot exist is as unknown as one that does not', async () => {
    const [a, b] = [await problem('PUT', '/v1/posts/made-up/like'), await problem('PUT', '/v1/users/me/friend-requests/made-up')]
    expect([a.status, b.status]).toEqual([404, 404])
  })
})

describe('problems', () => {
  test('name the code, its page and where', async () => {
    expect(await problem('GET', '/v1/users/me')).toMatchObject({
      type: '/docs/problems/profile-required',
      title: mesh.problems['profile-required']?.title,
      status: 404,
      instance: '/v1/users/me',
      code: 'profile-required',
    })
  })
  test('tell nothing of what went wrong inside', async () => {
    const { headers, ...document } = await problem('GET', '/v1/users/me/blocks')
    expect(document).toMatchObject({ status: 500, code: 'internal-error' })
    expect(JSON.stringify(document)).not.toMatch(/secret|Error|at /)
    expect(headers['x-request-id']).not.toBe('')
  })
  test('point at every invalid field', async () => {
    const { code, status, errors } = await problem('POST', '/v1/posts', { body: { title: ' ', content: 7, __proto__: 1 } })
    expect({ code, status, pointers: errors?.map(e => e.pointer) }).toEqual({
      code: 'validation-failed',
      status: 422,
      pointers: ['/title', '/content'],
    })
    expect((await problem('POST', '/v1/posts')).errors?.map(e => e.pointer)).toEqual(['/title', '/content'])
    expect((await problem('GET', '/v1/timeline?include=all')).errors?.map(e => e.pointer)).toEqual(['/include'])
    expect((await problem('GET', '/v1/timeline?limit=1&limit=2')).errors?.map(e => e.pointer)).toEqual(['/limit'])
  })
  test('of bodies come before any actor hears of them', async () => {
    const draft = { title: 'a', content: 'b' }
    const codes = await Promise.all([
      problem('POST', '/v1/posts', { body: '{' }),
      problem('POST', '/v1/posts', { body: [] }),
      problem('POST', '/v1/posts', { body: draft, headers: { 'content-type': 'text/plain' } }),
      problem('POST', '/v1/posts', { body: draft, headers: { 'idempotency-key': 'two words' } }),
      it.edge.handle({ ...request('POST', '/v1/posts'), oversized: true }).then(a => ProblemDocument.parse(json(a))),
    ])
    expect(codes.map(c => [c.status, c.code])).toEqual([
      [400, 'malformed-json'],
      [422, 'validation-failed'],
      [415, 'unsupported-media-type'],
      [400, 'bad-request'],
      [413, 'body-too-large'],
    ])
    expect(await it.ports.mailbox.depth('posts.fifo')).toEqual({ waiting: 0, inFlight: 0 })
  })
})

describe('every answer', () => {
  test('names its request, shows the budget, and is not sniffed', async () => {
    for (const [method, path] of [
      ['GET', '/v1/timeline'],
      ['GET', '/nope'],
      ['GET', '/health/live'],
      ['OPTIONS', '/v1/posts'],
      ['DELETE', '/'],
    ] as const) {
      const { headers } = await call(method, path)
      expect(headers['x-request-id'], path).toMatch(/^edge-/)
      expect(headers.ratelimit, path).toMatch(/^"[a-z-]+";r=\d+;t=\d+$/)
      expect(headers['ratelimit-policy'], path).toMatch(/^"[a-z-]+";q=\d+;w=\d+$/)
      expect(headers['x-content-type-options'], path).toBe('nosniff')
    }
  })
  test('carries the client’s own request id', async () => {
    expect((await call('GET', '/nope', { headers: { 'x-request-id': 'mine-1' } })).headers['x-request-id']).toBe('mine-1')
  })
  test('of the API is kept by nobody but, with an ETag, the caller', async () => {
    expect((await call('GET', '/v1/config')).headers['cache-control']).toBe('no-store')
    expect((await call('GET', `/v1/posts/${POST_ID}`)).headers['cache-control']).toBe('private, no-cache')
  })
})

describe('browsers', () => {
  const preflight = (origin: string) =>
    call('OPTIONS', '/v1/posts', {
      token: '',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })

  test('of an allowed origin may ask and read', async () => {
    const { status, headers } = await preflight('https://app.test')
    expect(status).toBe(204)
    expect(headers).toMatchObject({ 'access-control-allow-origin': 'https://app.test', vary: 'origin' })
    expect(headers['access-control-allow-methods']).toContain('POST')
    expect(headers['access-control-allow-headers']).toContain('authorization')
    const refused = await call('GET', '/v1/timeline', { token: '', headers: { origin: 'https://app.test' } })
    expect(refused.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.test' })
    expect(refused.headers['access-control-expose-headers']).toContain('retry-after')
  })
  test('of another origin are told nothing', async () => {
    const { headers } = await preflight('https://evil.test')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('what the edge answers itself', () => {
  test('the configuration of clients, all addresses absolute', async () => {
    const config = ClientConfig.parse(json(await call('GET', '/v1/config', { token: '' })))
    expect(config).toMatchObject({
      auth: { region: 'eu-central-1', userPoolId: 'eu-central-1_TestPool1', clientId: 'testclient' },
      push: { publicKey: null },
      stream: 'wss://edge.test/v1/stream',
      limits: {
        countedAt: 'edge',
        reads: { perSecond: 100, burst: 1_000 },
        writes: { perSecond: 20, burst: 400 },
        addresses: {
          reads: { perSecond: 1_000, burst: 10_000 },
          writes: { perSecond: 200, burst: 4_000 },
          withoutToken: { perSecond: 100, burst: 1_000 },
          sockets: 2_000,
          exemptLoopback: false,
        },
        sockets: 20,
        unansweredWrites: 100,
        waitersPerKey: 100,
        unsettledPerKey: 1_000,
        bodyBytes: 65_536,
        frameBytes: 65_536,
        pushSubscriptions: 20,
        friends: 1_000,
      },
    })
    const strange = ClientConfig.parse(json(await call('GET', '/v1/config', { headers: { host: 'evil"><script>' } })))
    expect(strange.stream).toBe('wss://edge.test/v1/stream')
  })
  test('pages for people and documents for machines, without a token', async () => {
    for (const path of ['/', '/docs', ...Object.keys(mesh.problems).map(code => `/docs/problems/${code}`)]) {
      const { status, headers, body } = await call('GET', path, { token: '' })
      expect([status, headers['content-type']], path).toEqual([200, 'text/html; charset=utf-8'])
      expect(body).toContain('</html>')
    }
    for (const path of ['/openapi.json', '/asyncapi.json']) {
      const answer = await call('GET', path, { token: '' })
      expect(answer.headers['content-type']).toBe('application/json')
      expect(Object.keys(json(answer) ?? {})).toContain('info')
      const again = await call('GET', path, { token: '', headers: { 'if-none-match': answer.headers.etag ?? '' } })
      expect([again.status, again.body]).toEqual([304, ''])
    }
    expect((await problem('GET', '/docs/problems/nope', { token: '' })).status).toBe(404)
    // Nothing but what is served says how to sign in.
    const told = [(await call('GET', '/docs', { token: '' })).body, (await call('GET', '/openapi.json', { token: '' })).body]
    for (const text of told)
      for (const word of ['SignUp', 'USER_PASSWORD_AUTH', 'REFRESH_TOKEN_AUTH', 'ExpiresIn', '4401']) expect(text).toContain(word)
    expect((await problem('GET', '/docs/problems/toString', { token: '' })).status).toBe(404)
  })
  test('that the stream needs a WebSocket', async () => {
    expect(await problem('GET', '/v1/stream')).toMatchObject({
      status: 426,
      code: 'upgrade-required',
      headers: { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-version': '13' },
    })
  })
})

describe('budgets', () => {
  // Time stands still, so that nothing comes back into a budget.
  const clock = virtualClock(Date.now())
  const tight = { READS_PER_SECOND: '1', READS_BURST: '3', WRITES_PER_SECOND: '1', WRITES_BURST: '1' }

  test('are a user’s own, whatever the address', async () => {
    const edge = await testEdge({ clock, config: tight })
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push((await edge.call('GET', '/v1/timeline', { address: `192.0.2.${i}` })).status)
    expect(statuses).toEqual([404, 404, 404, 429, 429])
    const refused = await edge.call('GET', '/v1/timeline')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused.headers['ratelimit-policy']).toBe('"reads";q=3;w=3')
    const other = edge.pool.token('0190a000-0000-7000-8000-0000000000ff')
    expect((await edge.call('GET', '/v1/timeline', { token: other })).status).toBe(404)
  })
  test('are smaller without a good token, and a bad one is not even checked beyond that', async () => {
    const edge = await testEdge({ clock, config: tight })
    const bad = (i: number) => edge.call('GET', '/v1/timeline', { token: edge.pool.token(edge.user, { expiresIn: -i - 1 }) })
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await bad(i)).status)
    expect(statuses).toEqual([401, 401, 401, 429, 429, 429])
    expect((await edge.call('GET', '/v1/timeline', { address: '192.0.2.200' })).status).toBe(404)
  })
  test('of an address hold for everybody behind it, but on loopback with embedded engines', async () => {
    const burst = async (config: Record<string, string>) => {
      const edge = await testEdge({ clock, config: { ...tight, ...config } })
      const statuses = new Set<number>()
      for (let i = 0; i < 40; i++) statuses.add((await edge.call('GET', '/nope', { address: '127.0.0.1' })).status)
      return statuses
    }
    expect(await burst({})).toEqual(new Set([404, 429]))
    expect(await burst({ EMBEDDED: 'true' })).toEqual(new Set([404]))
  })
  test('of an address are drawn on by bodies that are too large, too', async () => {
    const edge = await testEdge({ clock, config: { ...tight, WRITES_BURST: '1' } })
    const large = { ...request('POST', '/v1/posts', { token: edge.token }), oversized: true }
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) statuses.push((await edge.edge.handle(large)).status)
    expect(statuses).toEqual([...Array(10).fill(413), 429, 429])
  })
  test('of an address hold however a proxy spells it, and not for its neighbours', async () => {
    const edge = await testEdge({ clock, config: { ...tight, READS_BURST: '20', PROXIES: '1', EMBEDDED: 'true' } })
    const from = async (forwarded: string) =>
      (await edge.call('GET', '/v1/config', { token: '', address: '127.0.0.1', headers: { 'x-forwarded-for': forwarded } })).status
    const statuses: number[] = []
    for (let i = 1; i <= 60; i++) statuses.push(await from(`2001:db8:1:2::${i.toString(16)}`))
    expect(statuses).toEqual([...Array(20).fill(200), ...Array(40).fill(429)])
    expect([await from('[2001:DB8:1:2::1]:80'), await from('2001:db8:1:3::1')]).toEqual([429, 200])
  })
  test('do not keep those out who watch over the edge', async () => {
    const edge = await testEdge({ clock, config: { ...tight, READS_BURST: '1' } })
    for (let i = 0; i < 50; i++) expect((await edge.call('GET', '/health/live', { token: '' })).status).toBe(200)
  })
})

describe('health', () => {
  test('names every dependency, and what is down', async () => {
    expect(json(await call('GET', '/health/ready', { token: '' }))).toMatchObject({
      status: 'ok',
      dependencies: {
        'mailbox posts.fifo': { status: 'ok' },
        'table kernel': { status: 'ok' },
        keys: { status: 'ok' },
        backplane: { status: 'ok' },
      },
    })
  })
  test('is degraded without the backplane, and gone without the store', async () => {
    const { ports } = it
    const degraded = await testEdge({
      ports: { ...ports, backplane: { ...ports.backplane, health: () => ({ ok: false, reachable: false, error: 'gone' }) } },
    })
    const answer = await degraded.call('GET', '/health/ready')
    expect([answer.status, json(answer)]).toMatchObject([200, { status: 'degraded', dependencies: { backplane: { status: 'down' } } }])
    const store = { ...ports.store, get: () => Promise.reject(new Error('the store is gone')) }
    const broken = await testEdge({ ports: { ...ports, store } })
    const down = await broken.call('GET', '/health/ready')
    expect([down.status, json(down)]).toMatchObject([503, { status: 'unavailable', dependencies: { 'table posts': { status: 'down' } } }])
    expect(down.body).not.toContain('the store is gone')
  })
  test('turns to draining when the edge goes away', async () => {
    const edge = await testEdge()
    edge.edge.leaving()
    const answer = await edge.call('GET', '/health/ready')
    expect([answer.status, json(answer)]).toMatchObject([503, { status: 'draining' }])
    expect((await edge.call('GET', '/health/live')).status).toBe(200)
  })
})
