import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../actors/kernel/ports/clock/system.ts'
import { bullmqJobs } from '../actors/kernel/ports/jobs/bullmq.ts'
import { jobsConformance } from '../actors/kernel/ports/jobs/conformance.ts'
import { LOOKING, WAITING } from '../actors/kernel/ports/jobs/engine.ts'
import { jobsHub, memoryJobs } from '../actors/kernel/ports/jobs/memory.ts'
import { startPostgres } from '../deploy/emulators/postgres/start.ts'
import { findRedisServer, startRedisServer } from '../deploy/emulators/redis-server/start.ts'
import { until } from './until.ts'

const LOCK_MS = 1_000
const warn = () => {}

const redisHere = (await findRedisServer('redis-server')) !== undefined
if (!redisHere) console.warn('\n*** redis-server is not on the PATH: jobs were NOT tried on a real Redis ***\n')

const redis = async (path: string, port = 0) => startRedisServer({ program: 'redis-server', path, port, warn })
/** Awake, which takes seconds where a machine is slow. */
const pglite = async (path: string, port = 0) => {
  const engine = await startPostgres({ path, port, waiting: WAITING, looking: LOOKING, warn })
  const first = bullmqJobs({ url: engine.url })
  await until('the database wakes', () => first.counts('any'), 60_000)
  await first.close()
  return engine
}

jobsConformance('memory', async () => {
  const hub = jobsHub()
  return { connect: async () => memoryJobs({ clock: systemClock, hub, lockMs: LOCK_MS }), close: async () => {} }
})
for (const { name, start } of [
  { name: 'BullMQ on PGlite', here: true, start: pglite },
  { name: 'BullMQ on redis-server', here: redisHere, start: redis },
].filter(e => e.here))
  jobsConformance(name, async () => {
    const path = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
    const { url, close } = await start(path)
    return {
      connect: async () => bullmqJobs({ url, prefix: 'test-', lockMs: LOCK_MS }),
      close: async () => {
        await close()
        await rm(path, { recursive: true, force: true })
      },
    }
  })
