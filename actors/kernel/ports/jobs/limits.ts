import type { NewJob } from './port.ts'

/** How long, and how many, finished jobs keep their id taken. */
export const KEPT_DONE = { seconds: 3_600, count: 10_000 } as const
/** How long, and how many, jobs that were given up can be looked at. */
export const KEPT_GIVEN_UP = { seconds: 7 * 86_400, count: 1_000 } as const
/** How long a job belongs to a worker that gives no sign of life. */
export const LOCK_MS = 10_000
const LONGEST_ID = 200

/** @throws an error that names what is wrong */
export const checkQueue = (queue: string): void => {
  if (!/^[a-z-]+$/.test(queue)) throw new TypeError(`a job queue is named with a-z and -, not ${JSON.stringify(queue)}`)
}

/** A job's data as JSON. @throws an error that names the job and what is wrong with it */
export const checkJob = ({ id, data, until }: NewJob): string => {
  if (!/^[!-~]+$/.test(id) || id.length > LONGEST_ID)
    throw new TypeError(`a job's id has 1 to ${LONGEST_ID} visible ASCII characters, not ${JSON.stringify(id)}`)
  if (!Number.isFinite(until)) throw new TypeError(`job ${id}: until is a time in ms, not ${until}`)
  const text: string | undefined = JSON.stringify(data)
  if (text === undefined) throw new TypeError(`job ${id}: its data is no JSON`)
  return text
}
