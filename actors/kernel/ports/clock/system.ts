import type { Clock } from './port.ts'

/** Node's timers fire at once when asked for more than this (about 24.8 days). */
const LONGEST = 2 ** 31 - 1

/** The machine's own time. A sleep keeps the process alive, `every` does not. */
export const systemClock: Clock = {
  now: Date.now,
  // Whole milliseconds, as `now`: they are logged and told.
  elapsed: () => Math.floor(performance.now()),
  sleep: async (ms, signal) => {
    let left = ms
    for (; left > LONGEST; left -= LONGEST) await nap(LONGEST, signal)
    await nap(left, signal)
  },
  every: (ms, tick) => {
    if (!(ms > 0 && ms <= LONGEST)) throw new RangeError(`every takes 1 to ${LONGEST} ms, not ${ms}`)
    const timer = setInterval(tick, ms).unref()
    return { stop: () => clearInterval(timer) }
  },
}

const nap = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      // A signal that outlives many sleeps must not gather their listeners.
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
