import { type Engine, type JobsLog, type Process, type StoredWorker, storedJob } from './engine.ts'
import type { JobHandler, WorkOptions } from './port.ts'
import { attempted, verdict } from './retry.ts'
import { within } from './within.ts'

type Context = {
  readonly engine: () => Promise<Engine>
  readonly queue: string
  readonly lockMs: number
  readonly random: () => number
  readonly log: JobsLog | undefined
}

/** How long what came of the last jobs may take to be stored. Beyond it they are tried again by others. */
const STORING_MS = 1_500
const LEAVING_MS = 500

/** How BullMQ is told that a job is not done: the pause until the next try in ms, or -1 for none. */
class NotDone extends Error {
  override readonly name = 'NotDone'
  readonly retryIn: number
  constructor(reason: string, retryIn: number) {
    super(reason)
    this.retryIn = retryIn
  }
}

/** How BullMQ is told, by its name, that a job has been put off already. */
class PutOff extends Error {
  override readonly name = 'DelayedError'
}

/** Works on a queue from the moment its store is there. */
export const bullmqWorker = ({ engine, queue, lockMs, random, log }: Context, options: WorkOptions, handler: JobHandler) => {
  const end = new AbortController()
  const trying = new Set<Promise<unknown>>()

  const process: Process = async (kept, token) => {
    const job = storedJob(kept)
    const attempt = attempted(job, handler, Date.now())
    trying.add(attempt)
    const outcome = await attempt.finally(() => trying.delete(attempt))
    const what = verdict(job, outcome, { ...options, now: Date.now(), random })
    if (what === 'done') return
    if ('retryIn' in what && !what.tried) {
      await kept.moveToDelayed(Date.now() + what.retryIn, token)
      throw new PutOff(what.reason)
    }
    throw 'givenUp' in what ? new NotDone(what.givenUp, -1) : new NotDone(what.reason, what.retryIn)
  }
  const settings = {
    concurrency: options.concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    settings: { backoffStrategy: (_made: number, _type?: string, error?: Error) => (error instanceof NotDone ? error.retryIn : 1_000) },
  }
  const starting: Promise<StoredWorker | undefined> = engine()
    .then(e => e.worker(queue, process, settings, end.signal))
    .catch(err => {
      log?.error({ err, queue }, 'jobs cannot be worked on')
      return undefined
    })

  /** @param finish waits for what is under way */
  const stop = async (finish: boolean) => {
    end.abort()
    const worker = await starting
    if (!worker) return
    const closed = worker.close()
    if (finish) while (trying.size > 0) await Promise.allSettled(trying)
    try {
      await within(finish ? STORING_MS : 0, closed)
    } catch (err) {
      if (finish) log?.warn({ err, queue }, 'what came of the last jobs could not be stored: they are tried again')
      // Of a store that is away, BullMQ waits for a goodbye for ever.
      void worker.disconnect().catch(() => {})
      await within(LEAVING_MS, closed).catch(() => {})
    }
  }
  return { stop: () => stop(true), abandon: () => stop(false) }
}
