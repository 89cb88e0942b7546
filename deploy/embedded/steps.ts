import { setTimeout as delay } from 'node:timers/promises'

/** The start was called off. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  constructor() {
    super('the start was called off')
  }
}

export type Steps = {
  /**
   * Does one step of a start.
   * @param what names it, as in `Redis was not ready within 60 s`
   * @param undo closes what comes after the step was given up
   * @throws an error that names the step when it takes longer than it may; Interrupted as soon as the start is called off
   */
  readonly take: <T>(what: string, work: () => Promise<T>, undo?: (made: T) => Promise<unknown>) => Promise<T>
  /** As `take`, for a step that is calls of the file system. */
  readonly takeOnDisk: Steps['take']
  /** Whether such a step has not come to an end, though it may have been given up: a call of the system that never returns keeps a process from ending in order. */
  readonly hangs: () => boolean
  /** Resolves when no such step, and nothing that is undone of one, is under way any more, or after so many ms: then it hangs. */
  readonly diskEnds: (withinMs: number) => Promise<void>
}

/** A step that starts a process holds the steps of that process, whose message says more. */
export const STEP_MS = 60_000
export const PROCESS_MS = 90_000
const DISK_INTERVAL_MS = 10

export const createSteps = ({ signal, withinMs = STEP_MS }: { readonly signal?: AbortSignal; readonly withinMs?: number } = {}): Steps => {
  let onDisk = 0
  let undoing = 0
  const take: Steps['take'] = async <T>(
    what: string,
    work: () => Promise<T>,
    undo: (made: T) => Promise<unknown> = async () => {},
  ): Promise<T> => {
    if (signal?.aborted) throw new Interrupted()
    const made = work()
    return await new Promise<T>((resolve, reject) => {
      const end = (how: () => void): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', interrupt)
        how()
      }
      const giveUp = (why: Error): void =>
        end(() => {
          reject(why)
          made.then(undo).catch(() => {})
        })
      const interrupt = (): void => giveUp(new Interrupted())
      const timer = setTimeout(() => giveUp(new Error(`${what} was not ready within ${withinMs / 1000} s`)), withinMs)
      signal?.addEventListener('abort', interrupt, { once: true })
      made.then(
        value => end(() => resolve(value)),
        error => end(() => reject(error)),
      )
    })
  }
  return {
    take,
    takeOnDisk: <T>(what: string, work: () => Promise<T>, undo?: (made: T) => Promise<unknown>) => {
      const counted = (): Promise<T> => {
        onDisk += 1
        return work().finally(() => {
          onDisk -= 1
        })
      }
      const undone = async (made: T): Promise<void> => {
        undoing += 1
        await Promise.resolve(undo?.(made)).finally(() => {
          undoing -= 1
        })
      }
      return take(what, counted, undone)
    },
    hangs: () => onDisk > 0,
    diskEnds: async ms => {
      for (const until = performance.now() + ms; onDisk + undoing > 0 && performance.now() < until; ) await delay(DISK_INTERVAL_MS)
    },
  }
}
