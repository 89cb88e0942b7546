import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { backplaneConformance, listening } from '../actors/kernel/ports/backplane/conformance.ts'
import { memoryBackplane, memoryHub } from '../actors/kernel/ports/backplane/memory.ts'
import { backplaneMetrics } from '../actors/kernel/ports/backplane/metrics.ts'
import { redisBackplane } from '../actors/kernel/ports/backplane/redis.ts'
import { virtualClock } from '../actors/kernel/ports/clock/virtual.ts'
import { freePort } from '../actors/kernel/process/free-port.ts'
import { mesh } from '../contracts/mesh.ts'
import { startRedis } from '../deploy/emulators/redis/start.ts'

const DEADLINE = { timeout: 15_000, interval: 10 }
const START = Date.now()

type Engine = { readonly url: string; readonly close: () => Promise<void> }
type RealEngine = Engine & { readonly process: ChildProcess }
/** Those that a failed test left behind end with the file. */
const servers = new Set<ChildProcess>()
afterAll(() => {
  for (const server of servers) server.kill('SIGKILL')
})

/** A `redis-server` of our own, in memory. */
const startReal = async ({ port, options = [] }: { port?: number; options?: string[] } = {}): Promise<RealEngine> => {
  const folder = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  const at = port ?? (await freePort())
  const fixed = ['--bind', '127.0.0.1', '--port', String(at), '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn('redis-server', [...fixed, ...options], { stdio: 'ignore' })
  servers.add(server)
  const url = `redis://127.0.0.1:${at}`
  const close = async () => {
    const ended = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined
    server.kill('SIGKILL')
    await ended
    servers.delete(server)
    await rm(folder, { recursive: true })
  }
  const probe = new Redis(url, { retryStrategy: () => 20 })
  probe.on('error', () => {})
  try {
    await vi.waitFor(() => expect(probe.status).toBe('ready'), DEADLINE)
  } catch (error) {
    await close()
    throw error
  } finally {
    probe.disconnect()
  }
  return { url, process: server, close }
}
const found = spawnSync('redis-server', ['--version']).status === 0
if (!found) console.warn('\n*** redis-server is not on the PATH: the backplane was NOT tried on a real Redis ***\n')

const openRedis = (start: () => Promise<Engine>) => async () => {
  const engine = await start()
  const clock = virtualClock(START)
  return {
    connect: () => redisBackplane({ url: engine.url, prefix: 'test-', clock }),
    pass: clock.advance,
    close: engine.close,
  }
}

backplaneConformance('memory', async () => {
  const clock = virtualClock(START)
  const hub = memoryHub()
  return { connect: async () => memoryBackplane({ clock, hub }), pass: clock.advance, close: async () => {} }
})
backplaneConformance('Redis, embedded', openRedis(startRedis))
if (found) backplaneConformance('redis-server', openRedis(startReal))

describe('the memory backplane', () => {
  test('keeps a reply for half a minute and spans for ten, from the first of them on', async () => {
    const clock = virtualClock()
    const backplane = memoryBackplane({ clock })
    await backplane.reply('edge', 'command', { status: 200 })
    await backplane.trace({ request: 'r', id: 'i', cause: null, actor: 'a', what: 'w', at: 0, ms: 0, engine: [], outcome: 'ok' })
    await clock.advance(29_999)
    expect(await backplane.replyOf('command')).toEqual({ status: 200 })
    await clock.advance(1)
    expect(await backplane.replyOf('command')).toBeUndefined()
    await clock.advance(500_000)
    await backplane.trace({ request: 'r', id: 'j', cause: null, actor: 'a', what: 'w', at: 0, ms: 0, engine: [], outcome: 'ok' })
    await clock.advance(69_999)
    expect((await backplane.spans('r')).length).toBe(2)
    await clock.advance(1)
    expect(await backplane.spans('r')).toEqual([])
  })
})

/** A way to a server that can be cut, all connections at once. */
const wayTo = async (url: string) => {
  const sockets = new Set<Socket>()
  const server = createServer(near => {
    const far = connect(Number(new URL(url).port), '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      // Told by `close`, which follows.
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = () => {
    server.close()
    cut()
  }
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, close }
}

const engines = [
  { name: 'embedded', here: true, start: (port?: number): Promise<Engine> => startRedis(port === undefined ? {} : { port }) },
  { name: 'redis-server', here: found, start: (port?: number): Promise<Engine> => startReal(port === undefined ? {} : { port }) },
]
describe.each(engines.filter(e => e.here))('the Redis backplane on $name', { timeout: 30_000 }, ({ start }) => {
  test('fails at once while Redis is away, says so, and comes back by itself, empty as it may be', async () => {
    const engine = await start()
    const port = Number(new URL(engine.url).port)
    const [edge, worker] = await Promise.all([redisBackplane({ url: engine.url }), redisBackplane({ url: engine.url })])
    const heard = listening()
    const seat = await edge.join('e1', heard.listener)
    await seat.present('ada')
    await worker.reply('e1', 'before', { status: 200 })
    await vi.waitFor(() => expect(heard.replies.length).toBe(1), DEADLINE)
    const told = heard.gaps.length

    const away = Date.now()
    await engine.close()
    await vi.waitFor(() => expect([edge.health().ok, worker.health().ok]).toEqual([false, false]), DEADLINE)
    expect(worker.health().error).toMatch(/^Redis at 127\.0\.0\.1:\d+ \(commands\): /)
    // As many as there may be: none waits, none piles up.
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 1_000 }, (_, n) => worker.reply('e1', `lost ${n}`, { status: 200 })),
      worker.replyOf('before'),
      worker.online(['ada']),
      worker.deliver('e1', [{ id: 'f', to: ['ada'], type: 't', at: '', data: null }]),
      seat.present('bob'),
      seat.absent('nobody'),
    ])
    expect(outcomes.every(o => o.status === 'rejected')).toBe(true)
    await expect(worker.replyOf('before')).rejects.toThrow(
      /^the reply to before cannot be asked for: Redis at 127\.0\.0\.1:\d+ is not connected/,
    )

    const again = await start(port)
    await vi.waitFor(
      () =>
        expect([edge.health(), worker.health()]).toEqual([
          { ok: true, reachable: true, error: null },
          { ok: true, reachable: true, error: null },
        ]),
      DEADLINE,
    )
    await worker.reply('e1', 'after', { status: 201 })
    await vi.waitFor(() => expect(heard.replies.map(([command]) => command)).toEqual(['before', 'after']), DEADLINE)
    // Who came while it was away, too.
    await vi.waitFor(async () => expect([...(await worker.online(['ada', 'bob'])).keys()].sort()).toEqual(['ada', 'bob']), DEADLINE)
    // What was told meanwhile passed it by: once for what it did not hear, once for who was not known to be here.
    await vi.waitFor(() => expect(heard.gaps.slice(told)).toHaveLength(2), DEADLINE)
    for (const since of heard.gaps.slice(told)) expect(since).toBeLessThanOrEqual(away)
    await Promise.all([edge.close(), worker.close()])
    await again.close()
  })

  test('tells who is here again when the wall clock was set forward, and since when they may have been missed', async () => {
    const engine = await start()
    const clock = virtualClock(START)
    const [edge, worker] = await Promise.all([redisBackplane({ url: engine.url, clock }), redisBackplane({ url: engine.url, clock })])
    const heard = listening()
    const seat = await edge.join('e1', heard.listener)
    await seat.present('ada')
    const told = heard.gaps.length
    clock.stepWall(120_000)
    expect([...(await worker.online(['ada'])).keys()]).toEqual([])
    await clock.advance(1_000)
    await vi.waitFor(async () => expect([...(await worker.online(['ada'])).keys()]).toEqual(['ada']), DEADLINE)
    await vi.waitFor(() => expect(heard.gaps.slice(told)).toEqual([START]), DEADLINE)
    await Promise.all([edge.close(), worker.close()])
    await engine.close()
  })

  test('tells all who are here again, however often it takes, before it says that something may have been missed', async () => {
    const engine = await start()
    const way = await wayTo(engine.url)
    const warnings: string[] = []
    const log = { info: () => {}, error: () => {}, warn: (_: unknown, message?: string) => void warnings.push(message ?? '') }
    const [edge, worker] = await Promise.all([redisBackplane({ url: way.url, log }), redisBackplane({ url: engine.url })])
    // More than are told at once.
    const people = Array.from({ length: 700 }, (_, n) => `person-${n}`)
    const known: Promise<number>[] = []
    const seat = await edge.join('e1', {
      ...listening().listener,
      missed: () => void known.push(worker.online(people.slice(1)).then(found => found.size)),
    })
    await Promise.all(people.map(seat.present))

    // It forgets everybody, and takes no word of the first.
    const redis = new Redis(engine.url)
    for (const person of people) await redis.del(`here:${person}`)
    await redis.set('here:person-0', 'no hash')
    const told = known.length
    way.cut()
    await vi.waitFor(() => expect(warnings).toContain('it cannot be told who is at an edge; trying on'), DEADLINE)
    await redis.del('here:person-0')
    // Once for what it did not hear, once for who was not known to be here.
    await vi.waitFor(() => expect(known.slice(told)).toHaveLength(2), DEADLINE)
    expect(await known.at(-1)).toBe(people.length - 1)
    expect((await worker.online(people)).size).toBe(people.length)
    redis.disconnect()
    await Promise.all([edge.close(), worker.close()])
    way.close()
    await engine.close()
  })

  test('whose coming it does not take is told again soon, and with it that something may have been missed', async () => {
    const engine = await start()
    const backplane = await redisBackplane({ url: engine.url })
    const heard = listening()
    const seat = await backplane.join('e1', heard.listener)
    const redis = new Redis(engine.url)
    await redis.set('here:ada', 'no hash')
    const [told, came] = [heard.gaps.length, Date.now()]
    await expect(seat.present('ada')).rejects.toThrow('a presence cannot be told')
    await redis.del('here:ada')
    await vi.waitFor(async () => expect((await backplane.online(['ada'])).get('ada')).toEqual(['e1']), DEADLINE)
    await vi.waitFor(() => expect(heard.gaps.slice(told)).toHaveLength(1), DEADLINE)
    expect(heard.gaps.at(-1)).toBeGreaterThanOrEqual(came)
    redis.disconnect()
    await backplane.close()
    await engine.close()
  })

  test('starts without a Redis, and uses it once it is there', async () => {
    const port = await freePort()
    const backplane = await redisBackplane({ url: `redis://127.0.0.1:${port}` })
    expect(backplane.health().ok).toBe(false)
    const heard = listening()
    const seat = await backplane.join('e1', heard.listener)
    await expect(seat.present('ada')).rejects.toThrow('is not connected')
    const engine = await start(port)
    await vi.waitFor(() => expect(backplane.health().ok).toBe(true), DEADLINE)
    await backplane.reply('e1', 'c', { status: 200 })
    await vi.waitFor(() => expect(heard.replies.length).toBe(1), DEADLINE)
    await vi.waitFor(async () => expect((await backplane.online(['ada'])).get('ada')).toEqual(['e1']), DEADLINE)
    await backplane.close()
    await engine.close()
  })

  test('deployments with prefixes of their own do not hear each other', async () => {
    const engine = await start()
    const [a, b] = await Promise.all(['a-', 'b-'].map(prefix => redisBackplane({ url: engine.url, prefix })))
    const [inA, inB] = [listening(), listening()]
    await a?.join('edge', inA.listener)
    const seat = await b?.join('edge', inB.listener)
    await seat?.present('ada')
    await a?.reply('edge', 'c', { status: 200 })
    await b?.reply('edge', 'd', { status: 200 })
    await vi.waitFor(() => expect([inA.replies.length, inB.replies.length]).toEqual([1, 1]), DEADLINE)
    expect([inA.replies[0]?.[0], inB.replies[0]?.[0]]).toEqual(['c', 'd'])
    expect(await b?.replyOf('c')).toBeUndefined()
    expect((await a?.online(['ada']))?.size).toBe(0)
    await Promise.all([a?.close(), b?.close()])
    await engine.close()
  })

  test('what others write into its channel, and a listener that throws, end nothing', async () => {
    const engine = await start()
    const errors: unknown[] = []
    const log = { info: () => {}, warn: () => {}, error: (...args: unknown[]) => void errors.push(args) }
    const backplane = await redisBackplane({ url: engine.url, log })
    const heard = listening()
    await backplane.join('edge', {
      ...heard.listener,
      reply: (command, reply, kept) => {
        if (command === 'bad') throw new Error('the listener threw')
        heard.listener.reply(command, reply, kept)
      },
    })
    const stranger = new Redis(engine.url)
    for (const word of ['nonsense', '{"kind":"else"}', '{"kind":"live","frames":[{}]}']) await stranger.publish('edge:edge', word)
    stranger.disconnect()
    await backplane.reply('edge', 'bad', { status: 200 })
    await backplane.reply('edge', 'good', { status: 200 })
    await vi.waitFor(() => expect(heard.replies.map(([command]) => command)).toEqual(['good']), DEADLINE)
    expect(errors.length).toBe(4)
    await backplane.close()
    await engine.close()
  })

  test('keys and what they hold go with the time', async () => {
    const engine = await start()
    const backplane = await redisBackplane({ url: engine.url })
    const seat = await backplane.join('edge', listening().listener)
    await seat.present('ada')
    await backplane.reply('edge', 'c', { status: 200 })
    await backplane.trace({ request: 'r', id: 'i', cause: null, actor: 'a', what: 'w', at: 0, ms: 0, engine: [], outcome: 'ok' })
    const redis = new Redis(engine.url)
    const left = async (key: string) => redis.ttl(key)
    for (const [key, seconds] of [
      ['reply:c', 30],
      ['here:ada', 90],
      ['trace:r', 600],
    ] as const) {
      expect(await left(key)).toBeGreaterThan(seconds - 25)
      expect(await left(key)).toBeLessThanOrEqual(seconds)
    }
    redis.disconnect()
    await backplane.close()
    await engine.close()
  })
})

describe('the Redis backplane and a server that never answers', { timeout: 30_000 }, () => {
  test('starts, fails its calls, and closes', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer(socket => void sockets.add(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const backplane = await redisBackplane({ url: `redis://127.0.0.1:${(silent.address() as AddressInfo).port}` })
    expect(backplane.health().ok).toBe(false)
    await expect(backplane.reply('e', 'c', { status: 200 })).rejects.toThrow('cannot be told')
    await backplane.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})

describe.runIf(found)('the Redis backplane and a real Redis', { timeout: 40_000 }, () => {
  test('refuses one that evicts, naming the policy', async () => {
    for (const policy of ['allkeys-lru', 'volatile-ttl']) {
      const engine = await startReal({ options: ['--maxmemory-policy', policy] })
      await expect(redisBackplane({ url: engine.url })).rejects.toThrow(
        `The backplane cannot use its Redis: its maxmemory-policy is ${policy}: it must be noeviction`,
      )
      await engine.close()
    }
  })

  test('says so when one that evicts takes its place later', async () => {
    const engine = await startReal()
    const backplane = await redisBackplane({ url: engine.url })
    await engine.close()
    const evicts = await startReal({ port: Number(new URL(engine.url).port), options: ['--maxmemory-policy', 'allkeys-random'] })
    await vi.waitFor(() => expect(backplane.health().error).toMatch(/maxmemory-policy is allkeys-random/), DEADLINE)
    await backplane.close()
    await evicts.close()
  })

  test('warns of one that does not tell its policy, and uses it', async () => {
    const engine = await startReal({ options: ['--rename-command', 'CONFIG', ''] })
    const warnings: string[] = []
    const log = { info: () => {}, error: () => {}, warn: (_: unknown, message?: string) => void warnings.push(message ?? '') }
    const backplane = await redisBackplane({ url: engine.url, log })
    expect(warnings).toEqual(['Redis does not tell its maxmemory-policy: make sure that it is noeviction'])
    await backplane.reply('e', 'c', { status: 200 })
    await backplane.close()
    await engine.close()
  })

  test('survives one that hangs for a while', async () => {
    const engine = await startReal()
    const [edge, worker] = await Promise.all([redisBackplane({ url: engine.url }), redisBackplane({ url: engine.url })])
    const heard = listening()
    await edge.join('e', heard.listener)
    engine.process.kill('SIGSTOP')
    await expect(worker.reply('e', 'hangs', { status: 200 })).rejects.toThrow(/cannot be told: .*timed out/)
    // The edge asks for nothing and finds out all the same.
    await vi.waitFor(() => expect([edge.health().ok, worker.health().ok]).toEqual([false, false]), DEADLINE)
    engine.process.kill('SIGCONT')
    await vi.waitFor(() => expect([edge.health().ok, worker.health().ok]).toEqual([true, true]), DEADLINE)
    await worker.reply('e', 'after', { status: 200 })
    await vi.waitFor(() => expect(heard.replies.map(([command]) => command)).toContain('after'), DEADLINE)
    await Promise.all([edge.close(), worker.close()])
    await engine.close()
  })

  /** It holds more than it may from now on, as if it had been filled. */
  const fill = (redis: Redis) => redis.config('SET', 'maxmemory', '1')
  const empty = (redis: Redis) => redis.config('SET', 'maxmemory', '0')
  const refusals = [
    { name: 'is full', options: ['--maxmemory-policy', 'noeviction'], begin: fill, end: empty, told: /no writes: OOM / },
    {
      name: 'has become a replica',
      options: [],
      begin: (redis: Redis) => redis.replicaof('127.0.0.1', 1),
      end: (redis: Redis) => redis.replicaof('NO', 'ONE'),
      told: /no writes: READONLY /,
    },
    {
      name: 'has not enough replicas to write to',
      options: [],
      begin: (redis: Redis) => redis.config('SET', 'min-replicas-to-write', 1),
      end: (redis: Redis) => redis.config('SET', 'min-replicas-to-write', 0),
      told: /no writes: NOREPLICAS /,
    },
  ]
  test.each(refusals)('says within seconds that one that $name takes no writes, without any traffic, and when it does again', async r => {
    const engine = await startReal({ options: r.options })
    const registry = new Registry()
    const backplane = await redisBackplane({ url: engine.url })
    backplaneMetrics(mesh, backplane.health, registry)
    const refused = async () => (await registry.getSingleMetric('dailygrind_backplane_writes_refused')?.get())?.values[0]?.value
    const redis = new Redis(engine.url)
    expect([backplane.health().ok, await refused()]).toEqual([true, 0])
    await r.begin(redis)
    await vi.waitFor(
      () => expect(backplane.health()).toEqual({ ok: false, reachable: true, error: expect.stringMatching(r.told) }),
      DEADLINE,
    )
    expect(await refused()).toBe(1)
    await r.end(redis)
    await vi.waitFor(() => expect(backplane.health()).toEqual({ ok: true, reachable: true, error: null }), DEADLINE)
    expect(await refused()).toBe(0)
    redis.disconnect()
    await backplane.close()
    await engine.close()
  })

  test('while one is full replies and live frames come through, and who came is told that they missed something once it is known', async () => {
    const engine = await startReal()
    const [edge, worker] = await Promise.all([redisBackplane({ url: engine.url }), redisBackplane({ url: engine.url })])
    const heard = listening()
    const gaps: [number, readonly string[] | undefined][] = []
    const seat = await edge.join('e1', { ...heard.listener, missed: (since, users) => void gaps.push([since, users]) })
    await seat.present('early')
    const redis = new Redis(engine.url)
    await fill(redis)
    const [told, came] = [gaps.length, Date.now()]
    await expect(seat.present('late')).rejects.toThrow('OOM')
    await expect(worker.reply('e1', 'c', { status: 200 })).rejects.toThrow('OOM')
    // What is in the store needs no room here.
    expect(await worker.reply('e1', 'd', { status: 201 }, true)).toBe(true)
    await worker.deliver('e1', [{ id: 'f', to: ['early'], type: 't', at: '', data: null }])
    await vi.waitFor(() => expect(heard.frames.length).toBe(1), DEADLINE)
    expect(heard.replies.map(([command]) => command)).toEqual(['c', 'd'])
    expect([...(await worker.online(['early', 'late'])).keys()]).toEqual(['early'])
    await empty(redis)
    await vi.waitFor(() => expect(gaps.slice(told)).toEqual([[expect.any(Number), ['late']]]), DEADLINE)
    expect(gaps.at(-1)?.[0]).toBeGreaterThanOrEqual(came)
    expect([...(await worker.online(['early', 'late'])).keys()].sort()).toEqual(['early', 'late'])
    redis.disconnect()
    await Promise.all([edge.close(), worker.close()])
    await engine.close()
  })

  test('tells a reply in one round trip, and shares it among callers', async () => {
    const engine = await startReal()
    const backplane = await redisBackplane({ url: engine.url })
    const redis = new Redis(engine.url)
    const reads = async () => Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
    const before = await reads()
    await Promise.all(Array.from({ length: 100 }, (_, n) => backplane.reply('e', `c${n}`, { status: 200 })))
    // One read of the pipeline (more if TCP cuts it) and one of the question itself; 200 were they sent one by one.
    expect((await reads()) - before).toBeLessThan(10)
    redis.disconnect()
    await backplane.close()
    await engine.close()
  })
})
