import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { reader } from '../actors/kernel/authoring/reader.ts'
import { environment, readConfig } from '../actors/kernel/config/config.ts'
import { memoryBus } from '../actors/kernel/ports/events/memory.ts'
import { memoryJobs } from '../actors/kernel/ports/jobs/memory.ts'
import { FAILPOINTS } from '../actors/kernel/process/failpoints.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { openPorts } from '../actors/kernel/process/open-ports.ts'
import { COUNT_LIMIT, counter, counterMesh, counterStream, tally } from '../actors/kernel/testing/counter/contract.ts'
import { counterActor } from '../actors/kernel/testing/counter/counter.ts'
import { startWorker } from '../actors/kernel/worker/worker.ts'
import type { Envelope, Reply } from '../contracts/declare/envelope.ts'
import { groupOf } from '../contracts/declare/messages.ts'
import { expected, roles, undeclared } from '../contracts/derive/access/access.ts'
import { asyncapi } from '../contracts/derive/asyncapi/asyncapi.ts'
import { openapi } from '../contracts/derive/openapi/openapi.ts'
import { startDynamoDb } from '../deploy/emulators/dynamodb/server.ts'
import { startRedis } from '../deploy/emulators/redis/start.ts'
import { startSqsSns } from '../deploy/emulators/sqs-sns/start.ts'
import { provision } from '../deploy/provision/main.ts'
import { EMBEDDED_PACE } from '../deploy/provision/retry.ts'
import { createEdge } from '../edge/core.ts'
import { configFor, json, memoryPorts, request, silent } from '../edge/testing/edge.ts'
import { newPool } from '../edge/testing/pool.ts'
import { connect } from '../edge/testing/socket.ts'
import { CALM, type Faults, HOSTS, world } from './mesh/world.ts'
import { until } from './until.ts'

/*
 * A mesh of one actor, which is none of the product's: what runs, stores, publishes and describes it is the kernel's and the contracts' doing alone.
 */

describe('what is derived of a mesh of one actor', () => {
  test('its routes, and who may use them', () => {
    expect(counterMesh.routes.map(r => `${r.method} ${r.path} ${r.type}`)).toEqual([
      'POST /v1/counters/{name} counter.add',
      'DELETE /v1/counters/{name} counter.reset',
      'GET /v1/counters/{name} counter.get',
    ])
    for (const route of counterMesh.routes) {
      expect(roles.map(role => expected(route, role)[0])).toEqual(
        roles.map(role => (role === 'anonymous' && route.type !== 'counter.get' ? 'invalid-token' : 'ok')),
      )
      expect(undeclared(counterMesh, route)).toEqual([])
    }
  })

  test('its topology', () => {
    expect(counterMesh.topology('t-')).toEqual({
      tables: ['t-counter', 't-kernel'],
      mailboxes: [{ actor: 'counter', queue: 't-counter.fifo', dead: 't-counter-dead.fifo' }],
      topics: [{ actor: 'counter', topic: 't-counter' }],
      subscribers: [
        {
          actor: 'counter',
          queue: 't-counter-events',
          dead: 't-counter-events-dead',
          subscriptions: [{ topic: 't-counter', types: ['counter.changed'] }],
        },
      ],
    })
  })

  test('its documents, which name no other product', async () => {
    const api = openapi(counterMesh, { subprotocol: counterStream.subprotocol })
    expect(await new Validator().validate({ ...api })).toEqual({ valid: true })
    expect(api).toMatchObject({ info: { title: 'Tallies', description: expect.stringMatching(/^Counters for everybody\. Writes/) } })
    const messages = asyncapi(counterMesh, counterStream)
    expect(messages).toMatchObject({ channels: { 'counter-mailbox': { address: 'tallies-counter.fifo' } } })
    const text = JSON.stringify([api, messages])
    for (const said of ['/v1/counters/{name}', 'limit-reached', 'event-counter-changed', 'send-counter-add', 'tallies.v1'])
      expect(text).toContain(said)
    expect(text).not.toMatch(/daily|post\./i)
  })
})

const STORMS: Record<string, Faults> = {
  'nothing goes wrong': CALM,
  'workers die at every failpoint': { ...CALM, crash: 0.2 },
  'everything at once': { crash: 0.1, lostAnswer: 0.1, duplicate: 0.2, delayMs: 2_000, publish: 0.3 },
}
const code = counterActor.code(readConfig({}, counterMesh))

describe.each(HOSTS)('on engines in memory, in a %s', host => {
  test.each(Object.entries(STORMS))('%s: every command takes effect once, up to the limit', async (_, faults) => {
    const w = await world(7, faults, [code], host, counterMesh)
    const names = ['sheep', 'goats']
    const ids: string[] = []
    for (let n = 0; n < COUNT_LIMIT + 10; n++) {
      for (const name of names) ids.push(await w.send('counter.add', 'ann', { name }))
      await w.clock.advance(3_000)
    }
    await w.calm()
    const statuses = ids.map(id => [...new Set(w.replies.get(id)?.map(r => r.status))].join())
    expect(statuses.filter(s => s === '200')).toHaveLength(names.length * COUNT_LIMIT)
    expect(statuses.filter(s => s === '409')).toHaveLength(names.length * 10)
    for (const name of names) expect(await w.read.get(tally.at({ name }))).toEqual({ count: COUNT_LIMIT })
    expect(new Set(w.published.map(e => e.id)).size).toBe(names.length * COUNT_LIMIT)
    expect(await w.left()).toEqual({ queued: 0, dead: 0 })
    if (faults.crash > 0) expect(w.deaths()).toBeGreaterThan(5)
  })
})

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** The embedded engines with the counter's tables, queues and topic in them. */
const engines = async () => {
  const path = await mkdtemp(join(tmpdir(), 'counter-mesh-'))
  cleanups.push(() => rm(path, { recursive: true, force: true }))
  const [dynamodb, sqsSns, redis] = [await startDynamoDb({ path }), await startSqsSns({ port: 0 }), await startRedis({ port: 0 })]
  cleanups.push(dynamodb.close, sqsSns.close, redis.close)
  const endpoints = {
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    AWS_ENDPOINT_URL_SQS: sqsSns.endpoint,
    AWS_ENDPOINT_URL_SNS: sqsSns.endpoint,
  }
  const settings = {
    ...endpoints,
    EMBEDDED_ENDPOINTS: Object.values(endpoints).join(','),
    REDIS_URL: redis.url,
    EMBEDDED: 'true',
    LOG_LEVEL: 'warn',
    WORKER_DRAIN_MS: '2000',
  }
  const opened = await openPorts(counterMesh, readConfig(settings, counterMesh), pino({ level: 'silent' }))
  cleanups.push(opened.close)
  await provision({ clients: opened.clients, topology: counterMesh.topology(counterMesh.prefix), pace: EMBEDDED_PACE })
  return { settings, ports: opened.ports }
}

const WORKER = fileURLToPath(new URL('../actors/kernel/testing/counter/worker.fixture.ts', import.meta.url))
/** Workers one after another: the n-th dies at the n-th place, and the last one stays. */
const keepWorking = (settings: Readonly<Record<string, string>>, failpoints: readonly string[]) => {
  const signals: (NodeJS.Signals | null)[] = []
  let over = false
  let worker: ChildProcess | undefined
  const run = async () => {
    for (let n = 0; !over; n++) {
      const point = failpoints[n]
      const env = environment({ ...settings, FAILPOINTS: point === undefined ? '' : `${point}=kill@2` })
      worker = spawn(process.execPath, ['--import', 'tsx', WORKER], { env, stdio: 'ignore' })
      const [, signal] = await once(worker, 'exit')
      if (!over) signals.push(signal)
    }
  }
  const ended = run()
  cleanups.push(async () => {
    over = true
    worker?.kill('SIGKILL')
    await ended
  })
  return signals
}

test('on the embedded engines, killed with kill -9 at every failpoint: every command takes effect once', async () => {
  const { settings, ports } = await engines()
  const points = FAILPOINTS.filter(p => p !== 'after-claim')
  const replies = new Map<string, Reply>()
  const seat = await ports.backplane.join('edge', { reply: (id, reply) => void replies.set(id, reply), live: () => {} })
  cleanups.push(seat.leave)
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const each = 6
  const { 'counter.add': add } = counter.commands
  const sent = Array.from({ length: each }).flatMap((_, n) => names.map(name => ({ id: `${name}-${n}`, data: { name, by: 1 } })))
  await Promise.all(
    sent.map(async ({ id, data }) => {
      const at = new Date().toISOString()
      const key = groupOf(add, { id, by: 'ann', at, data })
      const trace = { request: id, cause: null, traceparent: null }
      const reply = { to: 'edge', until: Number.MAX_SAFE_INTEGER, durable: false }
      const envelope: Envelope = { v: 1, id, type: 'counter.add', key, by: 'ann', at, data, reply, trace }
      await ports.mailbox.send('counter.fifo', { id, group: key, body: JSON.stringify(envelope) })
    }),
  )
  const signals = keepWorking(settings, points)
  await until('every reply', () => (replies.size === sent.length ? true : undefined), 200_000)
  expect(signals).toEqual(points.map(() => 'SIGKILL'))
  expect([...replies.values()].map(r => r.status)).toEqual(sent.map(() => 200))
  const read = reader(ports.store)
  for (const name of names) expect(await read.get(tally.at({ name }))).toEqual({ count: each })
  expect(await ports.mailbox.depth('counter-dead.fifo')).toMatchObject({ waiting: 0, inFlight: 0 })
}, 240_000)

test('an edge serves it that knows nothing else', async () => {
  const memory = memoryPorts()
  const ports = {
    ...memory,
    events: memoryBus({ mailbox: memory.mailbox, topology: counterMesh.topology('') }),
    jobs: memoryJobs({ clock: memory.clock }),
  }
  const pool = newPool()
  const config = configFor(pool)
  const edge = await createEdge({
    mesh: counterMesh,
    stream: counterStream,
    about: 'Counters for everybody.',
    views: code.views,
    changes: async () => [],
    client: {},
    config,
    ports,
    log: silent,
    registry: new Registry(),
  })
  edge.serving('edge.test')
  const counted = metrics(counterMesh, new Registry())
  const worker = startWorker({ mesh: counterMesh, code, ports, config, log: silent, metrics: counted })
  cleanups.push(edge.close, () => worker.drain(1_000))
  const token = pool.token(randomUUID())
  const call = (method: string, target: string, body?: unknown) => edge.handle(request(method, target, { token, body }))

  const device = await connect(edge.sockets, { token, protocols: counterStream.subprotocol })
  expect(json(await call('POST', '/v1/counters/sheep', { by: 9 }))).toEqual({ name: 'sheep', count: 9 })
  expect(json(await edge.handle(request('GET', '/v1/counters/sheep')))).toEqual({ name: 'sheep', count: 9 })
  expect(await until('the event', () => device.ofOp('event')[0])).toMatchObject({
    type: 'counter.changed',
    data: { name: 'sheep', count: 9 },
  })
  device.say({ op: 'send', id: 's-1', type: 'counter.add', data: { name: 'sheep', by: 10 } })
  expect(await until('the reply', () => device.ofOp('reply')[0])).toMatchObject({ id: 's-1', status: 200, body: { count: 19 } })
  for (const by of [10, 10]) await call('POST', '/v1/counters/sheep', { by })
  expect(json(await call('POST', '/v1/counters/sheep', { by: 10 }))).toMatchObject({
    status: 409,
    code: 'limit-reached',
    title: 'The counter is full',
  })
  expect((await call('POST', '/v1/counters/sheep', { by: 11 })).status).toBe(422)
  expect((await call('DELETE', '/v1/counters/sheep')).status).toBe(204)
  expect((await call('POST', '/v1/posts', { title: 'Hello' })).status).toBe(404)
  expect(json(await call('GET', '/openapi.json'))).toMatchObject({ info: { title: 'Tallies' } })
  expect((await call('GET', '/docs')).body).not.toMatch(/daily|post\./i)
})
