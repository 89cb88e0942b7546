/**
 * Time, so that a simulation can own it. There are two readings, because a machine's wall clock is set now and then, forward and back: what is stored,
 * sent, or compared with others' times is wall time; how long something takes, waits or lasts is measured by what has elapsed (`test/clock-readings.test.ts`).
 */
export type Clock = {
  /** Wall time in epoch milliseconds. It may jump, also back: no duration and no deadline of one process is made of it. */
  readonly now: () => number
  /** Milliseconds since an arbitrary moment of this process. It never goes back and never jumps, and means nothing to other processes. */
  readonly elapsed: () => number
  /** Resolves after so many milliseconds, or rejects with the signal's reason. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Calls `tick` every so many milliseconds until stopped; does not keep a process alive. */
  readonly every: (ms: number, tick: () => void) => { readonly stop: () => void }
}
