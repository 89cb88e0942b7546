import { deadline } from '../clock/deadline.ts'
import { systemClock } from '../clock/system.ts'

/** What `work` comes to, or an error after so many milliseconds: what it comes to then is nobody's any more. */
export const within = <T>(ms: number, work: Promise<T>): Promise<T> =>
  deadline(systemClock, ms).race(work, () => {
    throw new Error(`the store of jobs does not answer within ${ms} ms`)
  })
