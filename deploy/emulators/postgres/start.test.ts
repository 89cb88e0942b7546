import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bullmqJobs } from '../../../actors/kernel/ports/jobs/bullmq.ts'
import { LOOKING, WAITING } from '../../../actors/kernel/ports/jobs/engine.ts'
import { type Postgres, startPostgres } from './start.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })
const DEADLINE = { timeout: 60_000, interval: 20 }

let path: string
let engine: Postgres
const start = async () => {
  engine = await startPostgres({ path, waiting: WAITING, looking: LOOKING, warn: () => {} })
}
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'dailygrind-postgres-'))
  await start()
})
afterEach(async () => {
  await engine.close()
  await rm(path, { recursive: true, force: true })
})

test('it sleeps while people wait for jobs and look at them, wakes for a job, and for those that it was left with', async () => {
  const looking = bullmqJobs({ url: engine.url, looks: true })
  await expect(looking.counts('q')).rejects.toThrow('the database of jobs sleeps')
  const waiting = bullmqJobs({ url: engine.url })
  const done: string[] = []
  const worker = waiting.work('q', { concurrency: 1 }, async ({ id }) => {
    done.push(id)
    return id === 'later' ? { retry: 'not now', afterMs: 600_000 } : 'done'
  })
  await expect(looking.counts('q')).rejects.toThrow('the database of jobs sleeps')
  expect(engine.awake()).toBe(false)

  const adding = bullmqJobs({ url: engine.url })
  const job = (id: string) => ({ id, data: null, until: Date.now() + 3_600_000 })
  await vi.waitFor(() => adding.add('q', [job('now'), job('later')]), DEADLINE)
  await vi.waitFor(async () => expect(await looking.counts('q')).toMatchObject({ done: 1, paused: 1 }), DEADLINE)
  expect(done.sort()).toEqual(['later', 'now'])
  await worker.stop()
  for (const jobs of [looking, waiting, adding]) await jobs.close()

  await engine.close()
  await start()
  expect(engine.awake()).toBe(false)
  const again = bullmqJobs({ url: engine.url })
  again.work('q', { concurrency: 1 }, async () => 'done')
  await vi.waitFor(() => expect(engine.awake()).toBe(true), DEADLINE)
  await vi.waitFor(async () => expect(await again.counts('q')).toMatchObject({ paused: 1 }), DEADLINE)
  await again.close()
})
