import { DeleteTopicCommand, ListSubscriptionsByTopicCommand, UnsubscribeCommand } from '@aws-sdk/client-sns'
import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Clients, openClients } from '../actors/kernel/ports/aws/clients.ts'
import { queueUrls, topicArns } from '../actors/kernel/ports/aws/names.ts'
import { findMissingRoutes } from '../actors/kernel/ports/events/routes.ts'
import { jobsHub, memoryJobs } from '../actors/kernel/ports/jobs/memory.ts'
import { sqsMailbox } from '../actors/kernel/ports/mailbox/sqs.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { type RouteWatch, watchRoutes } from '../actors/kernel/process/route-watch.ts'
import { startWorker } from '../actors/kernel/worker/worker.ts'
import { catalog } from '../actors/testing/catalog.ts'
import { mesh } from '../contracts/mesh.ts'
import { type DynamoDb, startDynamoDb } from '../deploy/emulators/dynamodb/server.ts'
import { type SqsSns, startSqsSns } from '../deploy/emulators/sqs-sns/start.ts'
import { status } from '../deploy/mesh-cli/status.ts'
import { provision } from '../deploy/provision/main.ts'
import { json, memoryPorts, silent, testEdge } from '../edge/testing/edge.ts'

const PREFIX = 'routes-'
const ROUTE = 'subscription users -> push-events'
const DEADLINE = { timeout: 15_000, interval: 5 }

let engines: [SqsSns, DynamoDb]
let clients: Clients
let watch: RouteWatch
let look = () => {}
const registry = new Registry()
const counted = metrics(mesh, registry)
const said: string[] = []
const Line = z.object({ msg: z.string() })
const log = pino({}, { write: line => void said.push(Line.parse(JSON.parse(line)).msg) })

const ports = () => {
  const queueUrl = queueUrls(clients.sqs, PREFIX)
  const mailbox = sqsMailbox({ sqs: clients.sqs, polling: clients.sqsPolling, queueUrl, stopMs: 100 })
  const topicArn = topicArns(clients.sqs, PREFIX, 'users.fifo', queueUrl)
  return {
    mailbox,
    topicArn,
    find: findMissingRoutes({ sns: clients.sns, topicArn, mailbox, subscribers: mesh.topology('').subscribers, prefix: PREFIX }),
  }
}
const provisionAll = () => provision({ clients, topology: mesh.topology(PREFIX) })

beforeAll(async () => {
  engines = [await startSqsSns(), await startDynamoDb()]
  const [{ endpoint }, dynamodb] = engines
  clients = openClients({
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    EMBEDDED: true,
  })
  await provisionAll()
  const clock = {
    every: (_: number, tick: () => void) => {
      look = tick
      return { stop: () => {} }
    },
  }
  watch = watchRoutes(ports().find, { clock, log, metrics: counted })
}, 60_000)
afterAll(async () => {
  watch.stop()
  clients.close()
  for (const engine of engines) await engine.close()
})

const becomes = (names: readonly string[]) =>
  vi.waitFor(() => {
    look()
    expect([...watch.missing()].sort()).toEqual([...names].sort())
  }, DEADLINE)
const gauge = async (route: string) =>
  (await registry.getSingleMetric('dailygrind_event_routes_missing')?.get())?.values.find(v => v.labels.route === route)?.value
const unsubscribe = async () => {
  const { Subscriptions = [] } = await clients.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: await ports().topicArn('users') }))
  const SubscriptionArn = Subscriptions.find(s => s.Endpoint?.endsWith(':routes-push-events'))?.SubscriptionArn
  await clients.sns.send(new UnsubscribeCommand({ SubscriptionArn }))
}

test('a mesh that is provisioned misses nothing', () => becomes([]))

test('a subscription that somebody removed is known: readiness, metric, log, status; provisioning puts it back and loses nothing', async () => {
  const { mailbox, find } = ports()
  await mailbox.send('posts.fifo', { id: 'waiting', group: 'g', body: 'b' })
  await unsubscribe()
  await becomes([ROUTE])
  expect(await gauge(ROUTE)).toBe(1)
  expect(said.filter(text => text.startsWith('events do not arrive'))).toHaveLength(1)

  const edge = await testEdge({ routes: watch })
  const ready = await edge.call('GET', '/health/ready')
  expect([ready.status, json(ready)]).toMatchObject([200, { status: 'degraded', dependencies: { [ROUTE]: { status: 'down' } } }])

  const memory = memoryPorts()
  const jobs = memoryJobs({ clock: memory.clock, random: Math.random, hub: jobsHub() })
  const health = async (actor: string) => {
    const code = catalog.find(c => c.declaration.name === actor)
    if (!code) throw new Error(`no actor ${actor}`)
    const config = { CONCURRENCY: 1, POLLERS: 1, FAILPOINTS: '' }
    const events = { publish: async () => {} }
    const worker = startWorker({
      mesh,
      code,
      ports: { ...memory, jobs, events },
      config,
      log: silent,
      metrics: metrics(mesh, new Registry()),
      routes: watch,
    })
    const { ok, status } = worker.health()
    await worker.drain()
    return { ok, status }
  }
  // Who hears it and who says it are told; it is none of the others' business.
  expect(await health('push')).toEqual({ ok: true, status: 'degraded' })
  expect(await health('users')).toEqual({ ok: true, status: 'degraded' })
  expect(await health('timelines')).toEqual({ ok: true, status: 'ok' })

  const lines: string[] = []
  const opened = {
    title: 't',
    flags: '',
    operations: [],
    ...memory,
    mailbox,
    findMissingRoutes: find,
    jobs: undefined,
    processes: async () => [],
    close: async () => {},
  }
  expect(await status(opened, line => lines.push(line))).toBe(1)
  expect(lines.join('\n')).toContain(`the ${ROUTE} is not there`)

  await provisionAll()
  await becomes([])
  expect(await gauge(ROUTE)).toBe(0)
  expect(await mailbox.depth('posts.fifo')).toEqual({ waiting: 1, inFlight: 0 })
})

test('a topic and a queue that somebody removed are known, and come back', async () => {
  await clients.sns.send(new DeleteTopicCommand({ TopicArn: await ports().topicArn('posts') }))
  await clients.sqs.send(new DeleteQueueCommand({ QueueUrl: await queueUrls(clients.sqs, PREFIX)('push-events') }))
  await vi.waitFor(() => {
    look()
    expect(watch.missing()).toContain('queue push-events')
    expect(watch.missing().some(name => /^(topic posts$|subscription posts -> )/.test(name))).toBe(true)
  }, DEADLINE)
  await provisionAll()
  await becomes([])
})

test('engines that cannot be asked are not taken for routes that are gone', async () => {
  let fail = () => {}
  const failing = new Promise<never>((_, reject) => {
    fail = () => reject(new Error('no answer'))
  })
  const before = said.length
  const blind = watchRoutes(() => failing, { clock: { every: () => ({ stop: () => {} }) }, log, metrics: metrics(mesh, new Registry()) })
  fail()
  await vi.waitFor(() => expect(said.slice(before)).toEqual(['whether events can arrive cannot be asked']), DEADLINE)
  expect(blind.missing()).toEqual([])
})
