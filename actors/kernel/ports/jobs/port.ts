/** Work outside the mesh that is tried until it succeeds, its time is over, or it turns out to be hopeless. */
export type NewJob = {
  /**
   * Names the work, so that adding it again adds nothing: derive it from what causes it (an event's id and the device, say). 1 to 200 visible
   * ASCII characters.
   * It is remembered while the job waits, works or is tried again, and afterwards for an hour or ten thousand later jobs of its queue, whichever is less.
   */
  readonly id: string
  /** JSON. */
  readonly data: unknown
  /** Epoch ms after which no try begins any more. A job that always kills its worker ends by it, too. */
  readonly until: number
}

/** A job as a worker gets it. */
export type Job = NewJob & {
  /** 1 at the first try. Tries that ended with the death of their worker do not count, nor do those that were none (`untried`). */
  readonly attempt: number
}

/**
 * What came of a try. What a handler throws is a `retry` with the error's message.
 * `retry`: again after a growing pause, not sooner than `afterMs` from now (a `Retry-After`); a job whose `until` would be over by then is given up.
 * With `untried`, nothing was tried: it was not the moment to. The pause is what `afterMs` says, up to a quarter longer, and the job's number stays.
 * `giveUp`: never again; kept for inspection with the reason.
 */
export type Outcome =
  | 'done'
  | { readonly retry: string; readonly afterMs?: number }
  | { readonly retry: string; readonly afterMs: number; readonly untried: true }
  | { readonly giveUp: string }
export type JobHandler = (job: Job) => Promise<Outcome>

export type WorkOptions = {
  /** Jobs under way at once in this worker. */
  readonly concurrency: number
  /** The pause after the first try, in ms; doubled for each further one, give or take a quarter. Default 1 s. */
  readonly firstPauseMs?: number
  /** The longest pause but for what `afterMs` asks, in ms. Default 10 min. */
  readonly longestPauseMs?: number
}

export type JobWorker = {
  /** Takes no more jobs. Resolves when those under way are finished and what came of them is stored. */
  readonly stop: () => Promise<void>
}

/** A job that was given up. `at` is when, in epoch ms; `attempts` the number of the try that it ended with, made or not. */
export type GivenUp = {
  readonly id: string
  readonly data: unknown
  readonly reason: string
  readonly attempts: number
  readonly at: number
}
/** `waiting` for a worker, `paused` until the next try, `active`, and of those that are over, as many as are still kept. */
type JobCounts = {
  readonly waiting: number
  readonly paused: number
  readonly active: number
  readonly done: number
  readonly givenUp: number
}

/**
 * Jobs: queues of work outside that is retried. Each job is tried at least once whatever dies, seldom twice at a time, in no order.
 * Queue names are `[a-z-]+`, without the deployment's prefix.
 *
 * The store may forget: a Redis without AOF that restarts comes back without the jobs of its last moments. So whoever owns the cause of a job (a message
 * in SQS) lets go of it only after `add` has resolved, and that is all there is: jobs that such a Redis loses later are lost.
 */
export type Jobs = {
  /**
   * Resolves when all of them are stored, in one go or several.
   * @throws when the store does not say so within about 5 s; some may be stored, and adding all again is harmless
   */
  readonly add: (queue: string, jobs: readonly NewJob[]) => Promise<void>
  /** Starts working on a queue. A store that is away is no error: work begins when it is there, and goes on when it is back. */
  readonly work: (queue: string, options: WorkOptions, handler: JobHandler) => JobWorker
  /** @throws when the store does not answer */
  readonly counts: (queue: string) => Promise<JobCounts>
  /** Jobs that were given up, the latest first. The last thousand of a queue are kept, for a week. @throws when the store does not answer */
  readonly givenUp: (queue: string, limit?: number) => Promise<readonly GivenUp[]>
  readonly health: () => { readonly ok: boolean; readonly error: string | null }
  /** Ends at once; what is still under way is another worker's after some seconds. Stop the workers before. */
  readonly close: () => Promise<void>
}
