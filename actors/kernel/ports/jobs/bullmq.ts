import { bullmqWorker } from './bullmq-worker.ts'
import { type Engine, type JobsLog, storedId, storedJob } from './engine.ts'
import { checkJob, checkQueue, LOCK_MS } from './limits.ts'
import type { Jobs, NewJob } from './port.ts'
import { within } from './within.ts'

export type BullmqJobsOptions = {
  /** `redis://`, `rediss://`, `postgres://` or `postgresql://`. */
  readonly url: string
  /** Before every queue's name, so that deployments can share a store. */
  readonly prefix?: string
  readonly log?: JobsLog
  /** Only looks: a database that sleeps is not woken for it, and what is asked of it fails. */
  readonly looks?: boolean
  /** How long a job belongs to a worker that gives no sign of life. Default 10 s. */
  readonly lockMs?: number
  readonly random?: () => number
}

/** How long a store may take to answer. */
const PATIENCE_MS = 5_000
/** Jobs that are added in one request. */
const CHUNK = 250
/** More than any deadline allows: `until` decides. */
const TRIES = 1_000_000

const entryOf = (job: NewJob) => ({
  name: 'job',
  data: { text: checkJob(job), until: job.until },
  opts: { jobId: storedId(job.id), attempts: TRIES, backoff: { type: 'verdict' }, stackTraceLimit: 0 },
})

/** Jobs in BullMQ, on Redis or PostgreSQL. Nothing is opened, nor BullMQ loaded, before something is asked of it. */
export const bullmqJobs = ({ url, prefix = '', log, looks = false, lockMs = LOCK_MS, random = Math.random }: BullmqJobsOptions): Jobs => {
  let opened: Engine | undefined
  let opening: Promise<Engine> | undefined
  const workers = new Set<ReturnType<typeof bullmqWorker>>()
  const open = (): Promise<Engine> => {
    opening ??= openEngine(url, log, looks).then(engine => {
      opened = engine
      return engine
    })
    return opening
  }
  const run: Engine['run'] = async (queue, work) => {
    checkQueue(queue)
    return within(
      PATIENCE_MS,
      open().then(engine => engine.run(prefix + queue, work)),
    )
  }
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await Promise.all([...workers].map(w => w.abandon()))
    await (await opening)?.close()
  }

  return {
    add: async (queue, jobs) => {
      const entries = jobs.map(entryOf)
      for (let at = 0; at < entries.length; at += CHUNK) await run(queue, q => q.addBulk(entries.slice(at, at + CHUNK)))
    },
    work: (queue, options, handler) => {
      checkQueue(queue)
      const worker = bullmqWorker({ engine: open, queue: prefix + queue, lockMs, random, log }, options, handler)
      workers.add(worker)
      return {
        stop: async () => {
          await worker.stop()
          workers.delete(worker)
        },
      }
    },
    counts: queue =>
      run(queue, async q => {
        const n = await q.getJobCounts('wait', 'prioritized', 'delayed', 'active', 'completed', 'failed')
        const of = (...types: string[]) => types.reduce((sum, type) => sum + (n[type] ?? 0), 0)
        return {
          waiting: of('wait', 'prioritized'),
          paused: of('delayed'),
          active: of('active'),
          done: of('completed'),
          givenUp: of('failed'),
        }
      }),
    givenUp: (queue, limit = 100) =>
      run(queue, async q =>
        (await q.getFailed(0, limit - 1)).map(kept => {
          const { id, data } = storedJob(kept)
          return { id, data, reason: kept.failedReason, attempts: kept.attemptsMade, at: kept.finishedOn ?? 0 }
        }),
      ),
    health: () => {
      const error = opened?.error() ?? null
      return { ok: error === null, error }
    },
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

/** The stores are loaded when they are needed: together they cost 0.2 s and 20 MB. */
const openEngine = async (url: string, log: JobsLog | undefined, looks: boolean): Promise<Engine> => {
  const { protocol } = new URL(url)
  if (protocol === 'redis:' || protocol === 'rediss:') return (await import('./bullmq-redis.ts')).redisEngine({ url, log })
  if (protocol === 'postgres:' || protocol === 'postgresql:')
    return (await import('./bullmq-postgres.ts')).postgresEngine({ url, log, looks })
  throw new Error(`jobs are kept in redis://, rediss://, postgres:// or postgresql://, not in ${protocol}//`)
}
