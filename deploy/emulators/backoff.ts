const FIRST_MS = 250
const MOST_MS = 5_000
const SETTLED_MS = 10_000

/**
 * When to start a process again: at once after its first death, then ever later up to 5 s, and at once again after one that was ready for 10 s.
 * @returns a function that takes how long the process had been ready (ms; 0 when never) and gives the pause in ms
 */
export const backoff = (): ((upMs: number) => number) => {
  let quick = 0
  return upMs => {
    if (upMs >= SETTLED_MS) quick = 0
    quick += 1
    return quick === 1 ? 0 : Math.min(FIRST_MS * 2 ** (quick - 2), MOST_MS)
  }
}
