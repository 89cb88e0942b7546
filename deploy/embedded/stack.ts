import type { Logger } from 'pino'

/** Things that were started, to be stopped in the opposite order, each within its time. */
export const stack = (log: Logger) => {
  const started: { what: string; ms: number; stop: () => Promise<unknown> }[] = []
  return {
    push: (what: string, ms: number, stop: () => Promise<unknown>): void => {
      started.push({ what, ms, stop })
    },
    /** Stops everything; what fails or takes too long is logged and does not keep the rest from stopping. */
    unwind: async (): Promise<void> => {
      for (let one = started.pop(); one; one = started.pop()) {
        const { what, ms, stop } = one
        try {
          if (!(await within(ms, stop()))) log.warn(`${what} did not stop within ${ms} ms`)
        } catch (err) {
          log.warn({ err }, `${what} did not stop cleanly`)
        }
      }
    },
  }
}

/** Whether work ends in time. @throws what it throws */
export const within = async (ms: number, work: Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
