import { Queue, Worker } from 'bullmq'
import { evicting, redisConnection } from '../backplane/redis-connection.ts'
import { redisWrites } from '../backplane/redis-writes.ts'
import { backOffMs, spreadMs } from '../clock/back-off.ts'
import { deferred } from '../clock/deferred.ts'
import { systemClock } from '../clock/system.ts'
import { type Engine, type JobsLog, type StoredQueue, streams, WORKER } from './engine.ts'

const PREFIX = 'jobs'
/** What is written to find out whether anything can be. */
const PROBE_KEY = 'jobs-probe'
const RECONNECT_BACK_OFF = { firstMs: 100, maxMs: 2_000 }
/** A worker waits for its Redis, however long it is away: what it has to tell is told when it is back. */
const PATIENT = {
  protocol: 2,
  maxRetriesPerRequest: null,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy: (times: number) => spreadMs(backOffMs(times, RECONNECT_BACK_OFF), Math.random),
} as const

/** BullMQ on Redis. Resolves after the first try to connect, however it went. */
export const redisEngine = async ({ url, log }: { url: string; log: JobsLog | undefined }): Promise<Engine> => {
  const queues = new Map<string, Promise<StoredQueue & Pick<Queue, 'close'>>>()
  let refused: string | null = null
  const accepted = deferred()
  const context = { url, clock: systemClock, log }
  const connection = redisConnection(context, 'jobs', async redis => {
    const why = await evicting(redis, log)
    if (why !== null && refused === null) log?.error(`the Redis for jobs is unfit: ${why}`)
    refused = why
    if (why === null) accepted.resolve()
    void writes.probe()
  })
  const writes = redisWrites(context, connection, PROBE_KEY)
  await connection.start()
  const error = () => refused ?? connection.error() ?? writes.error()

  const open = async (name: string): Promise<StoredQueue & Pick<Queue, 'close'>> => {
    const queue = new Queue(name, { connection: connection.redis, prefix: PREFIX, streams })
    // The connection tells.
    queue.on('error', () => {})
    try {
      await queue.waitUntilReady()
      return queue
    } catch (err) {
      // BullMQ remembers the failure for as long as the queue lives.
      queues.delete(name)
      await queue.close().catch(() => {})
      throw err
    }
  }

  return {
    run: (name, work) => {
      if (refused !== null) throw new Error(`the Redis for jobs is unfit: ${refused}`)
      return writes.run('jobs', async () => {
        const queue = queues.get(name) ?? open(name)
        queues.set(name, queue)
        return work(await queue)
      })
    },
    worker: async (name, process, settings, signal) => {
      const aborted = deferred()
      signal.addEventListener('abort', () => aborted.resolve(), { once: true })
      await Promise.race([accepted.promise, aborted.promise])
      if (signal.aborted) return undefined
      const worker = new Worker(name, process, { ...WORKER, ...settings, connection: { url, ...PATIENT }, prefix: PREFIX })
      worker.on('error', err => log?.debug({ err, queue: name }, 'a worker of jobs had an error'))
      return { close: () => worker.close(), disconnect: () => worker.disconnect() }
    },
    error,
    close: async () => {
      await Promise.allSettled([...queues.values()].map(async queue => (await queue).close()))
      writes.close()
      connection.close()
    },
  }
}
