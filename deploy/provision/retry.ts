import { setTimeout as pause } from 'node:timers/promises'

/** What a run of provisioning knows of the engines' pace. */
export type Pace = {
  /** How long AWS may say "not yet" about one request before that counts as a failure. */
  readonly readyWithinMs: number
  /** How long a queue that was just made is left alone: SQS documents one second. */
  readonly newQueueMs: number
}

/** A table's backups can take minutes, a queue's name is taken for one after its deletion. A timer of Node may end a millisecond early. */
export const AWS_PACE: Pace = { readyWithinMs: 300_000, newQueueMs: 1_050 }
/** Engines of our own are ready when they answer. */
export const EMBEDDED_PACE: Pace = { readyWithinMs: 10_000, newQueueMs: 0 }

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 5_000

/**
 * Control planes answer so when they are asked too much at once, and DynamoDB when too many tables change at once; the SDK's three tries end long
 * before that is over.
 */
const THROTTLED: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

export const isNamed = (error: unknown, ...names: readonly string[]): error is Error => error instanceof Error && names.includes(error.name)

/** Pauses that double, each shortened by chance, so that two runs at once do not keep in step. */
export const pauseBefore = (attempt: number): Promise<void> =>
  pause(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10), MAX_PAUSE_MS) * (0.5 + Math.random() / 2))

/**
 * Sends a request again for as long as the engine is throttling or says that it is too early.
 * @param what the request is about, for the error
 * @param isTooEarly tells refusals that end by themselves from others
 * @throws what the engine says at last, with `what` before it
 */
export const retry = async <T>(
  { readyWithinMs }: Pick<Pace, 'readyWithinMs'>,
  what: string,
  send: () => Promise<T>,
  isTooEarly: (error: unknown) => boolean = () => false,
): Promise<T> => {
  const until = performance.now() + readyWithinMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const ends = isTooEarly(error) || THROTTLED.has(error.name)
      if (ends && performance.now() < until) {
        await pauseBefore(attempt)
        continue
      }
      throw new Error(`${what}: ${error.name}: ${error.message}${ends ? `, for ${readyWithinMs / 1000} s` : ''}`, { cause: error })
    }
  }
}
