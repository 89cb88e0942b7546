import type { Done, Level, LevelRange, LevelWrite, Refusal } from 'dynalite/db/index.js'
import { unavailable } from './errors.ts'

/** What goes down together at most: a write waits for those that share its batch. */
const MAX_WRITES = 500

export interface Log {
  /** Why nothing is written any more. */
  failure(): Refusal | undefined
  /** Refuses every write from now on. */
  fail(error: unknown): void
}

type Job = { readonly resolve: () => void; readonly reject: (error: unknown) => void } & (
  | { readonly writes: readonly LevelWrite[] }
  | { readonly clear: LevelRange }
)

/**
 * Puts every write of a LevelDB, dynalite's own included, behind one guard. LevelDB appends to its log after an append that failed, and drops all that stands
 * behind the torn record when it is opened again. So one append is under way at a time, with all writes that came meanwhile in the next; the first that
 * fails is the last; and nothing is acknowledged that stands behind it.
 * @param lost names the file that is no longer where it was opened; asked between each append and its acknowledgement
 * @param failed told once, when the log takes no more
 */
export function guardLog(level: Level, lost: () => Error | undefined, failed: (error: unknown) => void): Log {
  const batch = level.batch.bind(level)
  const clear = level.clear.bind(level)
  let waiting: Job[] = []
  let working = false
  let failure: Refusal | undefined

  const fail = (error: unknown): void => {
    if (failure) return
    failure = unavailable(`the log was not written: ${error instanceof Error ? error.message : String(error)}`)
    for (const job of waiting) job.reject(failure)
    waiting = []
    failed(error)
  }
  const append = async (jobs: readonly Job[]): Promise<void> => {
    const [first] = jobs
    if (first && 'clear' in first) await clear(first.clear)
    else await batch(jobs.flatMap(job => ('writes' in job ? job.writes : [])))
    const error = lost()
    if (error) throw error
  }
  const work = async (): Promise<void> => {
    working = true
    while (waiting.length > 0) {
      const jobs = takeGroup(waiting)
      try {
        await append(jobs)
        // The log may have failed otherwise meanwhile: what it holds by then may be lost.
        if (failure) throw failure
        for (const job of jobs) job.resolve()
      } catch (error) {
        fail(error)
        for (const job of jobs) job.reject(failure)
      }
    }
    working = false
  }
  const enqueue = (job: { writes: readonly LevelWrite[] } | { clear: LevelRange }, done?: Done): Promise<void> => {
    const written = new Promise<void>((resolve, reject) => {
      if (failure) return reject(failure)
      waiting.push({ ...job, resolve, reject })
      if (!working) void work()
    })
    // dynalite's own way to be told; a callback that throws must not be taken for a failed write.
    if (done)
      written.then(
        () => setImmediate(done),
        error => setImmediate(done, error),
      )
    return written
  }

  // On the object itself, because dynalite keeps it.
  Object.assign(level, {
    put: (key: string, value: unknown, done?: Done) => enqueue({ writes: [{ type: 'put', key, value }] }, done),
    del: (key: string, done?: Done) => enqueue({ writes: [{ type: 'del', key }] }, done),
    batch: (writes: readonly LevelWrite[], done?: Done) => enqueue({ writes }, done),
    clear: (range: LevelRange) => enqueue({ clear: range }),
  })
  return { failure: () => failure, fail }
}

/** The writes that come next, in their order; a range is cleared alone. */
function takeGroup(waiting: Job[]): Job[] {
  let writes = 0
  const end = waiting.findIndex((job, i) => {
    writes += 'writes' in job ? job.writes.length : 0
    return i > 0 && ('clear' in job || writes > MAX_WRITES)
  })
  const [first] = waiting
  return waiting.splice(0, first && 'clear' in first ? 1 : end < 0 ? waiting.length : end)
}
