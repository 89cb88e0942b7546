import { backOffMs } from '../ports/clock/back-off.ts'
import type { Clock } from '../ports/clock/port.ts'
import { errorMessage } from '../ports/errors/error-message.ts'

const PAUSE = { firstMs: 250, maxMs: 10_000 }

/**
 * Stands before polling: while engines fail, a worker waits longer and longer (0.25 to 10 s) instead of taking messages that it cannot handle.
 * One success forgets the failures.
 * @param onChange told when polling pauses, and when it goes on
 */
export const circuitBreaker = (clock: Clock, onChange: (paused: boolean, error: unknown) => void) => {
  let failures = 0
  let until = 0
  let last: unknown = null
  let paused = false
  const change = (now: boolean, error: unknown) => {
    if (paused === now) return
    paused = now
    onChange(now, error)
  }
  return {
    failed: (error: unknown) => {
      last = error
      change(true, error)
      // What was under way when polling paused fails of the same outage: a hiccup with sixty turns under way is one failure and not sixty.
      if (clock.elapsed() < until) return
      failures++
      until = clock.elapsed() + backOffMs(failures, PAUSE)
    },
    ok: () => {
      failures = 0
      until = 0
      last = null
      change(false, null)
    },
    /** Resolves when polling may go on. */
    open: async () => {
      for (let left = until - clock.elapsed(); left > 0; left = until - clock.elapsed()) await clock.sleep(Math.min(left, 250))
      change(false, null)
    },
    /** What failed, while polling waits for it: later nothing is known, and where no message comes no success would ever clear it. */
    error: () => (last === null || clock.elapsed() >= until ? null : errorMessage(last)),
  }
}
export type CircuitBreaker = ReturnType<typeof circuitBreaker>
