import {
  assertSchemaCompatibility,
  createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  type PgQueryable,
  Queue,
  runMigrations,
  SchemaMigrationRequiredError,
  Worker,
} from 'bullmq'
import pg from 'pg'
import { backOffMs } from '../clock/back-off.ts'
import { systemClock } from '../clock/system.ts'
import { errorMessage } from '../errors/error-message.ts'
import {
  type Engine,
  type JobsLog,
  LOOKING,
  type Process,
  type StoredQueue,
  type StoredWorker,
  streams,
  WAITING,
  WORKER,
  type WorkerSettings,
} from './engine.ts'

const ADDING = 'jobs'

const CALL_MS = 5_000
/** To make a schema takes seconds where a machine is slow. */
const MAKING_MS = 60_000
/** Of a worker: it has nobody who waits. */
const PATIENCE_MS = 10_000
const PROBE_MS = 5_000
const LONGEST_PAUSE_MS = 2_000

/** BullMQ on PostgreSQL, in the schema `bullmq`, which is made where it is not there. Nothing is connected before it is needed. */
export const postgresEngine = ({ url, log, looks }: { url: string; log: JobsLog | undefined; looks: boolean }): Engine => {
  const ours = looks ? LOOKING : ADDING
  const common = { connectionString: url, options: '-c search_path=bullmq', keepAlive: true }
  const where = `PostgreSQL at ${new URL(url).host}`
  const queues = new Map<string, Promise<StoredQueue & Pick<Queue, 'close'>>>()
  // BullMQ declares for itself what it uses of a pool; only the overloads of `on` differ from those in the types of pg.
  const openPool = (config: pg.PoolConfig) => {
    const opened = new pg.Pool({ ...common, ...config })
    // Every queue listens to it.
    opened.setMaxListeners(0)
    return opened as unknown as PgPool
  }
  const pool = openPool({ application_name: ours, max: 2, connectionTimeoutMillis: CALL_MS, query_timeout: CALL_MS })
  let error: string | null = null
  const broken = (cause: unknown) => {
    const message = errorMessage(cause)
    if (error === null) log?.warn({ err: cause }, `${where} (jobs) cannot be used; trying on`)
    error = `${where} (jobs): ${message}`
  }
  const fine = () => {
    if (error !== null) log?.info(`${where} (jobs) is back`)
    error = null
  }
  pool.on('error', broken)
  // Whether it is well again is asked only while it is not: questions keep a database awake.
  const probing = systemClock.every(PROBE_MS, () => {
    if (error !== null) pool.query('SELECT 1').then(fine, () => {})
  })

  /** Makes what BullMQ needs in the database. A lock in it lets one of many do it. */
  const prepare = async (config: pg.ClientConfig, signal?: AbortSignal) => {
    const client = new pg.Client({ ...common, ...config, query_timeout: MAKING_MS })
    const leave = () => void client.end().catch(() => {})
    client.on('error', () => {})
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await client.connect()
      if (!(await isMade(client))) await runMigrations(client)
    } finally {
      signal?.removeEventListener('abort', leave)
      leave()
    }
  }
  let preparing: Promise<void> | undefined
  const prepared = () => {
    preparing ??= prepare({ application_name: ours, connectionTimeoutMillis: CALL_MS }).catch(err => {
      preparing = undefined
      throw err
    })
    return preparing
  }

  const open = async (name: string): Promise<StoredQueue & Pick<Queue, 'close'>> => {
    await prepared()
    const queue = new Queue(name, { connection: pool, streams }, createPostgresBackend)
    queue.on('error', broken)
    try {
      await queue.waitUntilReady()
      return queue
    } catch (err) {
      await queue.close().catch(() => {})
      throw err
    }
  }
  const queueOf = (name: string) => {
    const known = queues.get(name)
    if (known) return known
    const queue = open(name).catch(err => {
      // BullMQ remembers the failure for as long as the queue lives.
      queues.delete(name)
      throw err
    })
    queues.set(name, queue)
    return queue
  }

  const startWorker = async (name: string, process: Process, settings: WorkerSettings): Promise<StoredWorker> => {
    const own = openPool({ application_name: WAITING, max: 4, connectionTimeoutMillis: PATIENCE_MS, query_timeout: PATIENCE_MS })
    own.on('error', broken)
    const worker = new Worker(name, process, { ...WORKER, ...settings, connection: own }, createPostgresBackend)
    worker.on('error', broken)
    try {
      await worker.waitUntilReady()
    } catch (err) {
      await worker.close(true)
      await own.end()
      throw err
    }
    return {
      close: async () => {
        await worker.close()
        await own.end()
      },
      disconnect: () => worker.disconnect(),
    }
  }

  return {
    run: async (name, work) => {
      try {
        const result = await work(await queueOf(name))
        fine()
        return result
      } catch (cause) {
        broken(cause)
        throw new Error(`jobs: ${where}: ${errorMessage(cause)}`, { cause })
      }
    },
    worker: async (name, process, settings, signal) => {
      for (let failures = 1; !signal.aborted; failures++) {
        try {
          // However long that takes: a database that sleeps lets those who wait stand at its door.
          await unless(signal, prepare({ application_name: WAITING }, signal))
          // To its end, which is bounded: it may have begun a job before it says that it is ready, and must then be stopped.
          return await startWorker(name, process, settings)
        } catch (cause) {
          if (signal.aborted) return undefined
          broken(cause)
          await systemClock.sleep(backOffMs(failures, { firstMs: 50, maxMs: LONGEST_PAUSE_MS }), signal).catch(() => {})
        }
      }
      return undefined
    },
    error: () => error,
    close: async () => {
      probing.stop()
      await Promise.allSettled([...queues.values()].map(async queue => (await queue).close()))
      await pool.end()
    },
  }
}

/** What work comes to, or an error as soon as the signal is given: what it comes to then is nobody's any more. */
const unless = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  let leave = () => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** @throws when it was made by a BullMQ that this one does not understand */
const isMade = async (client: PgQueryable): Promise<boolean> => {
  try {
    return (await assertSchemaCompatibility(client)) >= LATEST_SCHEMA_VERSION
  } catch (err) {
    if (err instanceof SchemaMigrationRequiredError) return false
    throw err
  }
}
