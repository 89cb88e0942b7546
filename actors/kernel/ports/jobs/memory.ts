import type { Clock } from '../clock/port.ts'
import { checkJob, checkQueue, KEPT_DONE, KEPT_GIVEN_UP, LOCK_MS } from './limits.ts'
import type { JobHandler, Jobs, WorkOptions } from './port.ts'
import { attempted, type Verdict, verdict } from './retry.ts'

type State = 'waiting' | 'paused' | 'active' | 'done' | 'givenUp'
type Entry = {
  readonly id: string
  readonly text: string
  readonly until: number
  state: State
  attempts: number
  at: number
  reason: string
}
type Queue = {
  readonly jobs: Map<string, Entry>
  readonly waiting: Entry[]
  /** Ids in the order in which they ended. */
  readonly ended: { readonly done: Entry[]; readonly givenUp: Entry[] }
  readonly workers: Set<() => void>
}

/** The jobs that the processes of one mesh share. */
export type JobsHub = Map<string, Queue>
export const jobsHub = (): JobsHub => new Map()

export type MemoryJobsOptions = {
  readonly clock: Clock
  readonly random?: () => number
  readonly hub?: JobsHub
  /** How long a job belongs to a process that is dead. Default 10 s. */
  readonly lockMs?: number
}

/** Jobs in this process. Those that share a hub share the jobs, as processes on one Redis do; closing one is the death of its process. */
export const memoryJobs = ({ clock, random = Math.random, hub = jobsHub(), lockMs = LOCK_MS }: MemoryJobsOptions): Jobs => {
  const active = new Map<Entry, Queue>()
  let closed = false
  const workers = new Set<() => void>()

  const queueOf = (name: string): Queue => {
    checkQueue(name)
    const queue = hub.get(name) ?? { jobs: new Map(), waiting: [], ended: { done: [], givenUp: [] }, workers: new Set() }
    hub.set(name, queue)
    return queue
  }
  const offer = (queue: Queue, entry: Entry) => {
    entry.state = 'waiting'
    queue.waiting.push(entry)
    for (const wake of queue.workers) wake()
  }
  const ended = (queue: Queue, entry: Entry, state: 'done' | 'givenUp') => {
    entry.state = state
    entry.at = clock.elapsed()
    const list = queue.ended[state]
    const kept = state === 'done' ? KEPT_DONE : KEPT_GIVEN_UP
    list.push(entry)
    for (let first = list[0]; first && (list.length > kept.count || first.at + kept.seconds * 1000 < clock.elapsed()); first = list[0]) {
      list.shift()
      queue.jobs.delete(first.id)
    }
  }
  const after = async (ms: number, queue: Queue, entry: Entry) => {
    await clock.sleep(ms)
    offer(queue, entry)
  }
  const conclude = (queue: Queue, entry: Entry, what: Verdict) => {
    if (typeof what === 'string' || 'givenUp' in what || what.tried) entry.attempts += 1
    if (what === 'done') return ended(queue, entry, 'done')
    if ('givenUp' in what) {
      entry.reason = what.givenUp
      return ended(queue, entry, 'givenUp')
    }
    entry.state = 'paused'
    void after(what.retryIn, queue, entry)
  }
  const attempt = async (queue: Queue, entry: Entry, options: WorkOptions, handler: JobHandler) => {
    const { id, text, until } = entry
    const job = { id, data: JSON.parse(text) as unknown, until, attempt: entry.attempts + 1 }
    entry.state = 'active'
    active.set(entry, queue)
    const outcome = await attempted(job, handler, clock.now())
    // What a dead process thinks of it does not count.
    if (closed) return
    active.delete(entry)
    conclude(queue, entry, verdict(job, outcome, { ...options, now: clock.now(), random }))
  }

  return {
    add: async (name, jobs) => {
      const queue = queueOf(name)
      const checked = jobs.map(job => ({ id: job.id, text: checkJob(job), until: job.until }))
      for (const job of checked) {
        if (queue.jobs.has(job.id)) continue
        const entry: Entry = { ...job, state: 'waiting', attempts: 0, at: clock.elapsed(), reason: '' }
        queue.jobs.set(job.id, entry)
        offer(queue, entry)
      }
    },
    work: (name, options, handler) => {
      const queue = queueOf(name)
      const trying = new Set<Promise<void>>()
      let woken = false
      const take = () => {
        woken = false
        while (queue.workers.has(wake) && trying.size < options.concurrency) {
          const entry = queue.waiting.shift()
          if (!entry) return
          const one: Promise<void> = attempt(queue, entry, options, handler).finally(() => {
            trying.delete(one)
            wake()
          })
          trying.add(one)
        }
      }
      // Not within the turn of whoever adds.
      const wake = () => {
        if (woken) return
        woken = true
        queueMicrotask(take)
      }
      const leave = () => {
        queue.workers.delete(wake)
        workers.delete(leave)
      }
      if (!closed) {
        queue.workers.add(wake)
        workers.add(leave)
        wake()
      }
      return {
        stop: async () => {
          leave()
          await Promise.all(trying)
        },
      }
    },
    counts: async name => {
      const counts = { waiting: 0, paused: 0, active: 0, done: 0, givenUp: 0 }
      for (const { state } of queueOf(name).jobs.values()) counts[state]++
      return counts
    },
    givenUp: async (name, limit = 100) =>
      queueOf(name)
        .ended.givenUp.slice(-limit)
        .reverse()
        .map(({ id, text, reason, attempts, at }) => ({ id, data: JSON.parse(text) as unknown, reason, attempts, at })),
    health: () => ({ ok: true, error: null }),
    close: async () => {
      for (const leave of workers) leave()
      closed = true
      // Nobody knows yet: others find out when the lock is over.
      for (const [entry, queue] of active) void after(lockMs, queue, entry)
      active.clear()
    },
  }
}
