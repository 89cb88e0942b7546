import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bullmqJobs } from '../actors/kernel/ports/jobs/bullmq.ts'
import type { Jobs, NewJob, Outcome } from '../actors/kernel/ports/jobs/port.ts'
import { freePort } from '../actors/kernel/process/free-port.ts'
import { ownModule } from '../deploy/emulators/module.ts'
import { findRedisServer, startRedisServer } from '../deploy/emulators/redis-server/start.ts'
import { until } from './until.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const DEADLINE = { timeout: 60_000, interval: 20 }
const LOCK_MS = 1_000
const redisHere = (await findRedisServer('redis-server')) !== undefined
if (!redisHere) console.warn('\n*** redis-server is not on the PATH: jobs were NOT tried with a Redis that dies ***\n')

let folder: string
let after: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
})
afterEach(async () => {
  for (const end of after.toReversed()) await end()
  after = []
  await rm(folder, { recursive: true, force: true })
})

/** A program of ours as a process. @returns it, and its first line once there is one */
const run = (fixture: string, ...args: string[]) => {
  const { script, execArgv } = ownModule(fixture, import.meta.url)
  const child = spawn(process.execPath, [...execArgv, script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = once(child.stdout, 'data').then(([text]) => String(text).trim())
  after.push(() => kill(child))
  return { child, line }
}
const kill = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
const open = (url: string, prefix = '', log?: Parameters<typeof bullmqJobs>[0]['log']): Jobs => {
  const jobs = bullmqJobs({ url, prefix, lockMs: LOCK_MS, ...(log ? { log } : {}) })
  after.push(jobs.close)
  return jobs
}
const job = (id: string): NewJob => ({ id, data: null, until: Date.now() + 600_000 })
const addedOnce = (jobs: Jobs, ...ids: string[]) => until('jobs are added', () => jobs.add('q', ids.map(job)).then(() => true), 60_000)
const counting = (jobs: Jobs, counts: Partial<Awaited<ReturnType<Jobs['counts']>>>) =>
  vi.waitFor(async () => expect(await jobs.counts('q')).toMatchObject(counts), DEADLINE)
const portOf = (url: string) => Number(new URL(url).port)

type Store = { readonly url: string; readonly kill: () => Promise<void> }
/** Stores that can be killed, and come back on the same port with what they kept. */
const stores = [
  {
    name: 'PGlite',
    here: true,
    start: async (port = 0): Promise<Store> => {
      const { child, line } = run('./jobs-database.fixture', join(folder, 'jobs'), String(port))
      return { url: await line, kill: () => kill(child) }
    },
  },
  {
    name: 'redis-server',
    here: redisHere,
    start: async (port = 0): Promise<Store> => {
      const redis = await startRedisServer({ program: 'redis-server', path: join(folder, 'redis'), port, warn: () => {} })
      after.push(redis.close)
      return { url: redis.url, kill: redis.close }
    },
  },
]

describe.each(stores.filter(s => s.here))('jobs on $name', ({ start }) => {
  test('a job whose worker process is killed twice is done all the same', async () => {
    const { url } = await start()
    const jobs = open(url, 'mesh-')
    await addedOnce(jobs, 'killed')
    for (let deaths = 0; deaths < 2; deaths++) {
      const worker = run('./jobs-worker.fixture', url, 'mesh-', 'q', String(LOCK_MS))
      expect(await worker.line).toBe('killed')
      await kill(worker.child)
    }
    const attempts: number[] = []
    jobs.work('q', { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(attempt)
      return 'done'
    })
    await counting(jobs, { done: 1, givenUp: 0 })
    expect(attempts).toEqual([1])
  })

  test('while the store is away adding fails in time; then work goes on with what was kept', async () => {
    const store = await start()
    const jobs = open(store.url)
    const done: string[] = []
    let answer: Outcome = { retry: 'not before the store was away', afterMs: 1 }
    const worker = jobs.work('q', { concurrency: 2, longestPauseMs: 20 }, async ({ id }) => {
      if (answer === 'done') done.push(id)
      return answer
    })
    await addedOnce(jobs, 'before-1', 'before-2')
    await store.kill()
    answer = 'done'

    // As many as there may be: none waits for ever, none piles up.
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, n) => jobs.add('q', [job(`lost-${n}`)])))
    expect(outcomes.every(o => o.status === 'rejected')).toBe(true)
    await expect(jobs.counts('q')).rejects.toThrow(/^jobs: (Redis|PostgreSQL) at 127\.0\.0\.1:\d+/)
    // A connection that takes nothing more is closed a moment later.
    await vi.waitFor(
      () => expect(jobs.health()).toEqual({ ok: false, error: expect.stringContaining(`127.0.0.1:${portOf(store.url)} (jobs)`) }),
      DEADLINE,
    )

    await start(portOf(store.url))
    await addedOnce(jobs, 'after')
    await vi.waitFor(() => expect(new Set(done)).toEqual(new Set(['before-1', 'before-2', 'after'])), DEADLINE)
    await counting(jobs, { waiting: 0, paused: 0, active: 0, givenUp: 0 })
    await vi.waitFor(() => expect(jobs.health()).toEqual({ ok: true, error: null }), DEADLINE)
    await worker.stop()
  })

  test('a worker starts without its store, and works once it is there', async () => {
    const port = await freePort()
    const scheme = (await start()).url.split(':')[0]
    const jobs = open(`${scheme}://127.0.0.1:${port}/`)
    const done: string[] = []
    jobs.work('q', { concurrency: 1 }, async ({ id }) => {
      done.push(id)
      return 'done'
    })
    await expect(jobs.add('q', [job('early')])).rejects.toThrow('ECONNREFUSED')
    folder = join(folder, 'other')
    await start(port)
    await addedOnce(jobs, 'late')
    await vi.waitFor(() => expect(done).toEqual(['late']), DEADLINE)
  })

  test('a worker stops while its store is away', async () => {
    const store = await start()
    const jobs = open(store.url)
    let finish: () => void = () => {}
    let begun = false
    const worker = jobs.work('q', { concurrency: 1 }, () => {
      begun = true
      return new Promise(resolve => {
        finish = () => resolve('done')
      })
    })
    await addedOnce(jobs, 'a')
    await vi.waitFor(() => expect(begun).toBe(true), DEADLINE)
    await store.kill()
    const stopped = worker.stop()
    finish()
    await stopped
    await jobs.close()
  })
})

describe.each(['redis', 'postgres'])('jobs on a %s that never answers', scheme => {
  test('fail, and close', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer(socket => void sockets.add(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const jobs = open(`${scheme}://127.0.0.1:${(silent.address() as AddressInfo).port}/`)
    const worker = jobs.work('q', { concurrency: 1 }, async () => 'done')
    await expect(jobs.add('q', [job('a')])).rejects.toThrow()
    await worker.stop()
    await jobs.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})

describe.runIf(redisHere)('jobs on a Redis', () => {
  const start = async () => {
    const redis = await startRedisServer({ program: 'redis-server', path: join(folder, 'redis'), warn: () => {} })
    after.push(redis.close)
    const client = new Redis(redis.url)
    after.push(async () => client.disconnect())
    return { url: redis.url, client }
  }

  test('that comes back empty: what is added from then on is done', async () => {
    const { url, client } = await start()
    const jobs = open(url)
    const done: string[] = []
    let block: (() => void) | undefined
    jobs.work('q', { concurrency: 1 }, async ({ id }) => {
      if (id === 'a') await new Promise<void>(resolve => (block = resolve))
      done.push(id)
      return 'done'
    })
    await addedOnce(jobs, 'a', 'b')
    await vi.waitFor(() => expect(block).toBeDefined(), DEADLINE)
    await client.flushall()
    block?.()
    await vi.waitFor(() => expect(done).toEqual(['a']), DEADLINE)
    await addedOnce(jobs, 'b', 'c')
    await vi.waitFor(() => expect(done.toSorted()).toEqual(['a', 'b', 'c']), DEADLINE)
  })

  test('that evicts: refused, naming the policy, until it does not', async () => {
    const { url, client } = await start()
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const jobs = open(url)
    const done: string[] = []
    jobs.work('q', { concurrency: 1 }, async ({ id }) => {
      done.push(id)
      return 'done'
    })
    await expect(jobs.add('q', [job('a')])).rejects.toThrow('maxmemory-policy is allkeys-lru: it must be noeviction')
    expect(jobs.health()).toEqual({ ok: false, error: 'its maxmemory-policy is allkeys-lru: it must be noeviction' })
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    // Asked anew with each connection.
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await addedOnce(jobs, 'b')
    await vi.waitFor(() => expect(done).toEqual(['b']), DEADLINE)
  })

  test('finished jobs, and those given up, are kept for so long and so many', async () => {
    const { url, client } = await start()
    const jobs = open(url, 'p-')
    jobs.work('q', { concurrency: 8 }, async ({ id }) => (id.startsWith('bad') ? { giveUp: 'no' } : 'done'))
    const many = Array.from({ length: 1_050 }, (_, n) => job(`bad-${n}`))
    await jobs.add('q', [job('good'), ...many])
    await counting(jobs, { waiting: 0, active: 0, done: 1, givenUp: 1_000 })
    expect((await jobs.givenUp('q', 2_000)).length).toBe(1_000)
    // Beside the queue there is only what finds out whether this Redis takes writes.
    const others = (await client.keys('*')).filter(key => !key.startsWith('jobs:p-q:'))
    expect(others).toEqual(['jobs-probe'])
    expect(await client.ttl('jobs-probe')).toBeGreaterThan(0)
    expect(await client.xlen('jobs:p-q:events')).toBeLessThan(1_000)
  })
})
