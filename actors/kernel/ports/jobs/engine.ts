import type { Job, WorkerOptions } from 'bullmq'
import type { Logger } from 'pino'
import { KEPT_DONE, KEPT_GIVEN_UP } from './limits.ts'

export type JobsLog = Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>

/** What BullMQ keeps of a job: its data as text, because PostgreSQL's JSON takes less than JSON may hold (no NUL, no half characters). */
type Kept = { readonly text: string; readonly until: number }
export type KeptJob = Pick<Job<Kept>, 'id' | 'data' | 'attemptsMade' | 'failedReason' | 'finishedOn'>
type JobOptions = {
  readonly jobId: string
  readonly attempts: number
  readonly backoff: { readonly type: string }
  readonly stackTraceLimit: number
}

/** What of BullMQ's Queue is used here, on either backend. */
export type StoredQueue = {
  readonly addBulk: (jobs: { name: string; data: Kept; opts: JobOptions }[]) => Promise<unknown>
  readonly getJobCounts: (...types: ('wait' | 'prioritized' | 'delayed' | 'active' | 'completed' | 'failed')[]) => Promise<{
    [type: string]: number
  }>
  readonly getFailed: (start: number, end: number) => Promise<KeptJob[]>
}

export type Process = (job: KeptJob & Pick<Job, 'moveToDelayed'>, token?: string) => Promise<void>
export type WorkerSettings = Pick<WorkerOptions, 'concurrency' | 'lockDuration' | 'stalledInterval' | 'settings'>

export type StoredWorker = {
  /** Lets what is under way end, and stores what came of it. */
  readonly close: () => Promise<void>
  /** Gives up what cannot be stored. */
  readonly disconnect: () => Promise<void>
}

/** Where BullMQ keeps jobs. */
export type Engine = {
  /** Runs something on a queue. @throws at once, or after its own time, while the store cannot be reached */
  readonly run: <T>(queue: string, work: (queue: StoredQueue) => Promise<T>) => Promise<T>
  /** Starts a worker as soon as the store is there; nothing when `signal` comes before. */
  readonly worker: (queue: string, process: Process, settings: WorkerSettings, signal: AbortSignal) => Promise<StoredWorker | undefined>
  readonly error: () => string | null
  readonly close: () => Promise<void>
}

/**
 * A database that sleeps wakes for whoever has jobs for it. Those who wait for some, and those who only look, say so by their `application_name`:
 * the first are let in once it is awake, the others are told that it sleeps.
 */
export const WAITING = 'jobs-worker'
export const LOOKING = 'jobs-looking'

/** Of events only so many are kept: nobody listens to them. */
export const streams = { events: { maxLen: 100 } }

/** The same for every worker. */
export const WORKER = {
  // A job that its worker did not survive is nobody's fault but the machine's; `until` ends one that kills each worker.
  maxStalledCount: 2 ** 31 - 1,
  /** Seconds that a worker waits for a job before it looks by itself. */
  drainDelay: 30,
  /** After what went wrong on a connection. */
  runRetryDelay: 1_000,
  removeOnComplete: { age: KEPT_DONE.seconds, count: KEPT_DONE.count },
  removeOnFail: { age: KEPT_GIVEN_UP.seconds, count: KEPT_GIVEN_UP.count },
}

/** A job of the port, out of what is kept of it. */
export const storedJob = ({ id, data: { text, until }, attemptsMade }: KeptJob) => ({
  id: givenId(id),
  data: JSON.parse(text) as unknown,
  until,
  attempt: attemptsMade + 1,
})

/** BullMQ takes no `:`, and no number, as an id. */
export const storedId = (id: string): string => `~${id.replace(/[%:]/g, encodeURIComponent)}`
const givenId = (stored = ''): string => stored.slice(1).replace(/%25|%3A/g, decodeURIComponent)
