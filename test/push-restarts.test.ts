import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { meet } from '../contracts/client/client.ts'
import { type RunningMesh, startMesh } from '../deploy/embedded/mesh.ts'
import { findRedisServer } from '../deploy/emulators/redis-server/start.ts'
import { befriend, join } from './people.ts'
import { type Browser, type PushService, startPushService } from './push-service.ts'
import { until } from './until.ts'

/** Deliveries that wait for their next try, while what they wait in is stopped, or killed, and comes back. */

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 })
const PATIENCE_MS = 90_000
const redisHere = (await findRedisServer('redis-server')) !== undefined
if (!redisHere) console.warn('\n*** redis-server is not on the PATH: deliveries were NOT tried over restarts of a real Redis ***\n')

let data: string
let service: PushService
let mesh: RunningMesh | undefined
beforeEach(async () => {
  data = await mkdtemp(path(tmpdir(), 'dailygrind-test-'))
  service = await startPushService()
})
afterEach(async () => {
  await mesh?.stop()
  await service.close()
  await rm(data, { recursive: true, force: true })
})

const start = async (program: string, processes: boolean) => {
  const settings = { LOG_LEVEL: 'silent', REDIS_SERVER: program, PUSH_ALLOW_ORIGINS: service.origin }
  mesh = await startMesh({ port: 0, data, processes, settings, logTo: { write: () => {} } })
  return mesh
}
/** Ann publishes, and has a device whose push service is down; Bob likes her post: his like waits to be told. */
const waiting = async ({ url }: RunningMesh): Promise<Browser> => {
  const met = await meet(url)
  const [ann, bob] = [await join(met, 'Ann'), await join(met, 'Bob')]
  // Bob asks: that he did is told of no more by the time there is a device, however late it is heard.
  await befriend(bob, ann)
  const device = service.subscribe((await ann.ask('push.key', {})).publicKey)
  await ann.send('push.subscribe', device.subscription)
  device.fail({ status: 503 })
  const { id } = await ann.send('post.publish', { title: 'A quiet morning', content: 'Tea.' })
  await bob.send('post.like', { postId: id })
  await until('a first try', () => device.requests.length > 0 || undefined, PATIENCE_MS)
  return device
}
const rings = async (device: Browser) => {
  device.heal()
  await until('the device rings', () => device.received.length > 0 || undefined, PATIENCE_MS)
  expect(device.received.map(m => m.body)).toEqual(['Bob likes “A quiet morning”'])
  expect(service.wrong).toEqual([])
}

const stores = [
  { store: 'PGlite', program: 'none' },
  { store: 'redis-server', program: 'redis-server' },
]
describe.each(redisHere ? stores : stores.slice(0, 1))('on $store', ({ program }) => {
  test('a delivery that waits is made after the whole mesh was stopped and started again', async () => {
    const device = await waiting(await start(program, false))
    await mesh?.stop()
    await start(program, false)
    await rings(device)
  })

  test.each(['push', 'engines'])('a delivery that waits is made after kill -9 of the process %s', async name => {
    const running = await start(program, true)
    const device = await waiting(running)
    const pid = running.pids().find(p => p.name === name)?.pid ?? expect.fail(`${name} does not run`)
    process.kill(pid, 'SIGKILL')
    await until(`${name} is started again`, () => running.pids().some(p => p.name === name && p.restarts === 1) || undefined)
    await rings(device)
  })
})
