import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { environment, readConfig, silenceNodeNotice } from '../actors/kernel/config/config.ts'
import { FAILPOINTS } from '../actors/kernel/process/failpoints.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { startWorker } from '../actors/kernel/worker/worker.ts'
import { productOf } from '../actors/product.ts'
import { catalog } from '../actors/testing/catalog.ts'
import { meet } from '../contracts/client/client.ts'
import { mesh } from '../contracts/mesh.ts'
import { startProvisioned } from '../deploy/embedded/provisioned.ts'
import { startEdge } from '../edge/edge.ts'
import { containers } from './mesh/containers.ts'
import { eventSource } from './mesh/event-source.ts'
import { allOf, gather, publications, reactions } from './story/crowd.ts'
import { listen } from './story/ears.ts'
import { compare, hear } from './story/kills.ts'
import { nothing, told } from './story/told.ts'
import { sampled } from './whole.ts'

silenceNodeNotice()
/** How many are at work; and how much a function does before it dies, so that each of them falls into the work. */
const CROWD = sampled({ people: 6, receives: 12 }, { people: 4, receives: 8 })
const POINTS = FAILPOINTS.filter(p => p !== 'after-claim')
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

/** A mesh on the embedded engines whose posts are functions, and everybody else workers in this process. */
const start = async () => {
  const data = await mkdtemp(join(tmpdir(), 'dailygrind-lambda-kill-'))
  cleanups.push(() => rm(data, { recursive: true, force: true }))
  const settings = { EMBEDDED: 'true', LOG_LEVEL: 'warn', PORT: '0', REDIS_SERVER: 'none' }
  const log = pino({ level: 'silent' })
  const engines = await startProvisioned({ config: readConfig(environment(settings), mesh), settings, data, log })
  cleanups.push(engines.close)
  const { config, opened } = engines
  const { ports } = opened
  const { PREFIX: prefix } = config
  const registry = new Registry()
  for (const code of catalog.filter(c => c.declaration.name !== 'posts')) {
    const worker = startWorker({ mesh, code, ports, config, log, metrics: metrics(mesh, new Registry()) })
    cleanups.push(() => worker.drain(1_000))
  }
  const functions = containers(n => {
    const point = POINTS[n]
    return { ...settings, ...engines.settings, ...(point === undefined ? {} : { FAILPOINTS: `${point}=kill@${CROWD.receives}` }) }
  })
  cleanups.push(functions.end)
  const commands = eventSource({ ...ports, prefix, queue: 'posts.fifo', start: functions.start })
  cleanups.push(commands.stop)
  // Events have no failpoints: their containers are others, so that each of those above is of the commands.
  const hearers = containers(() => ({ ...settings, ...engines.settings }))
  cleanups.push(hearers.end)
  cleanups.push(eventSource({ ...ports, prefix, queue: 'posts-events', start: hearers.start }).stop)
  const edge = await startEdge({ ...productOf(config), config, ports, log, registry, metrics: metrics(mesh, registry) })
  cleanups.push(edge.drain)
  return { mesh: await meet(edge.url), signals: functions.signals, dead: () => ports.mailbox.depth('posts-dead.fifo') }
}

test('a function killed with kill -9 at every failpoint: acknowledged commands took effect once, events were delivered, counts are exact', async () => {
  const { mesh, signals, dead } = await start()
  const people = await gather(mesh, CROWD.people)
  const devices = await Promise.all(people.map(async person => ({ person, ears: await listen(person.client) })))
  const acknowledged = nothing()
  const { teller, wrong } = told()
  await allOf(publications(people, acknowledged), 24, () => {})
  await allOf(reactions(people, acknowledged), 24, () => {})
  expect(signals).toEqual(POINTS.map(() => 'SIGKILL'))
  expect(acknowledged.refused).toBe(people.length)
  await compare(people, acknowledged, teller)
  await hear(devices, acknowledged, teller)
  for (const { ears } of devices) ears.stream.close()
  expect(wrong()).toEqual([])
  expect(await dead()).toEqual({ waiting: 0, inFlight: 0 })
}, 240_000)
