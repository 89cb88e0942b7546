import type { Clock } from './port.ts'

/** A clock that stands still until it is told to go on. */
export type VirtualClock = Clock & {
  /** Lets so many milliseconds pass: what falls due happens in order, each with all that follows from it before the next. */
  readonly advance: (ms: number) => Promise<void>
  /** Sets the wall clock forward, or back when negative, as an administrator or NTP does: no time passes, nothing falls due. */
  readonly stepWall: (ms: number) => void
  /**
   * Goes on until nobody sleeps any more; `every` ticks along but keeps nothing going.
   * @param limit milliseconds after which it is an error that somebody still sleeps; default a day
   */
  readonly untilIdle: (limit?: number) => Promise<void>
}

const DAY = 86_400_000
/** Where `elapsed` begins: nowhere near a wall time, so that who takes one for the other is found. */
const BEGINNING = 12_345

/** @param start epoch milliseconds */
export const virtualClock = (start = 0): VirtualClock => {
  type Timer = { readonly at: number; readonly fire: () => void; readonly sleeper: boolean }
  const timers: Timer[] = []
  let now = BEGINNING
  let ahead = start - BEGINNING
  let sleepers = 0

  // Sorted by time, then by who asked first: a binary search keeps thousands of sleepers cheap.
  const add = (at: number, fire: () => void, sleeper: boolean): Timer => {
    const timer = { at, fire, sleeper }
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((timers[middle]?.at ?? 0) <= at) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
    if (sleeper) sleepers++
    return timer
  }
  const remove = (timer: Timer): void => {
    const index = timers.indexOf(timer)
    if (index < 0) return
    timers.splice(index, 1)
    if (timer.sleeper) sleepers--
  }
  const step = async (next: Timer): Promise<void> => {
    remove(next)
    now = Math.max(now, next.at)
    next.fire()
    await settled()
  }

  return {
    now: () => now + ahead,
    elapsed: () => now,
    stepWall: ms => {
      ahead += ms
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const abort = () => {
          remove(timer)
          reject(signal?.reason)
        }
        const wake = () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const timer = add(now + Math.max(0, ms), wake, true)
        signal?.addEventListener('abort', abort, { once: true })
      }),
    every: (ms, tick) => {
      if (!(ms > 0)) throw new RangeError(`every takes a positive number of ms, not ${ms}`)
      const next = (at: number): Timer =>
        add(
          at,
          () => {
            // Before the tick, so that the tick can stop it.
            timer = next(at + ms)
            tick()
          },
          false,
        )
      let timer = next(now + ms)
      return { stop: () => remove(timer) }
    },
    advance: async ms => {
      const until = now + ms
      await settled()
      for (let next = timers[0]; next && next.at <= until; next = timers[0]) await step(next)
      now = until
    },
    untilIdle: async (limit = DAY) => {
      const until = now + limit
      await settled()
      for (let next = timers[0]; next && sleepers > 0; next = timers[0]) {
        if (next.at > until) throw new Error(`${sleepers} still sleep after ${limit} ms of virtual time`)
        await step(next)
      }
    },
  }
}

/** Two rounds: what promises set off in the first may itself wait for the end of a tick (`gather`), which is the second. */
const settled = async (): Promise<void> => {
  await new Promise(setImmediate)
  await new Promise(setImmediate)
}
