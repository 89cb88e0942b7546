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
   * @param what names it, as in `Redis did not start within 60 s`
   * @param undo closes what comes after the step was given up
   * @throws an error that names the step when it takes longer than it may; Interrupted as soon as the start is called off
   */
  readonly take: <T>(what: string, work: () => Promise<T>, undo?: (made: T) => Promise<unknown>) => Promise<T>
  /** The steps that have not come to an end, those that were given up included: a call of the system that never returns keeps a process from ending in order. */
  readonly pending: () => readonly string[]
}

/** A step that starts a process holds the steps of that process, whose message says more. */
export const STEP_MS = 60_000
export const PROCESS_MS = 90_000

export const createSteps = ({ signal, withinMs = STEP_MS }: { readonly signal?: AbortSignal; readonly withinMs?: number } = {}): Steps => {
  const pending = new Map<symbol, string>()
  const take = async <T>(what: string, work: () => Promise<T>, undo: (made: T) => Promise<unknown> = async () => {}): Promise<T> => {
    if (signal?.aborted) throw new Interrupted()
    const id = Symbol(what)
    pending.set(id, what)
    const made = work().finally(() => pending.delete(id))
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
      const timer = setTimeout(() => giveUp(new Error(`${what} did not start within ${withinMs / 1000} s`)), withinMs)
      signal?.addEventListener('abort', interrupt, { once: true })
      made.then(
        value => end(() => resolve(value)),
        error => end(() => reject(error)),
      )
    })
  }
  return { take, pending: () => [...pending.values()] }
}
