/** Time, so that a simulation can own it. */
export type Clock = {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Resolves after so many milliseconds, or rejects with the signal's reason. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Calls `tick` every so many milliseconds until stopped; does not keep a process alive. */
  readonly every: (ms: number, tick: () => void) => { readonly stop: () => void }
}
