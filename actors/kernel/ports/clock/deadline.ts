import type { Clock } from './port.ts'

/** One end for all that somebody waits for, made when the waiting begins and handed down: limits of single steps would add up. */
export type Deadline = {
  /** Milliseconds until the end; 0 after it. */
  readonly left: () => number
  /**
   * Resolves or rejects as `work` does. At the end, if that comes first, as `late`; what comes of the work then is nobody's any more, its error neither.
   * @param late throws, or tells what stands for the result
   */
  readonly race: <T, L>(work: Promise<T>, late: () => L) => Promise<T | L>
}

/** Begins now and ends after so many milliseconds. */
export const deadline = (clock: Pick<Clock, 'elapsed' | 'sleep'>, ms: number): Deadline => {
  const until = clock.elapsed() + ms
  const left = () => Math.max(0, until - clock.elapsed())
  return {
    left,
    race: async <T, L>(work: Promise<T>, late: () => L): Promise<T | L> => {
      const won = new AbortController()
      const end = clock.sleep(left(), won.signal).then(late)
      try {
        return await Promise.race([work, end])
      } finally {
        end.catch(() => {})
        won.abort()
      }
    },
  }
}
