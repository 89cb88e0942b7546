import { backOffMs, spreadMs } from '../clock/back-off.ts'
import { errorMessage } from '../errors/error-message.ts'
import type { Job, JobHandler, Outcome, WorkOptions } from './port.ts'

/** What becomes of a job after a try. */
export type Verdict = 'done' | { readonly retryIn: number; readonly reason: string; readonly tried: boolean } | { readonly givenUp: string }

type Circumstances = Pick<WorkOptions, 'firstPauseMs' | 'longestPauseMs'> & {
  /** Epoch ms. */
  readonly now: number
  readonly random: () => number
}

const FIRST_MS = 1_000
const LONGEST_MS = 600_000

/** The pause after a try, in ms. Spread, so that what failed together does not come back together, and never shorter than what was asked for. */
const pause = (
  attempt: number,
  afterMs: number | undefined,
  { firstPauseMs = FIRST_MS, longestPauseMs = LONGEST_MS, random }: Circumstances,
) => {
  const grown = backOffMs(attempt, { firstMs: firstPauseMs, maxMs: longestPauseMs })
  const own = spreadMs(grown, random)
  return Math.ceil(afterMs === undefined ? own : Math.max(own, afterMs + random() * grown))
}

/** A reason as every store takes it: no control characters, no half ones, of bounded length, and no word by which a handler could steer BullMQ. */
const spoken = (reason: string): string =>
  [...reason.replace(/[\p{Cc}\p{Cs}]/gu, ' ').replace(/^bullmq:/, 'bullmq ')].slice(0, 500).join('')

/** What follows from the outcome of a job's try. */
export const verdict = ({ attempt, until }: Pick<Job, 'attempt' | 'until'>, outcome: Outcome, circumstances: Circumstances): Verdict => {
  if (outcome === 'done') return 'done'
  if ('giveUp' in outcome) return { givenUp: spoken(outcome.giveUp) }
  const reason = spoken(outcome.retry)
  const tried = !('untried' in outcome)
  const retryIn = tried ? pause(attempt, outcome.afterMs, circumstances) : Math.ceil(outcome.afterMs * (1 + circumstances.random() / 4))
  if (circumstances.now + retryIn <= until) return { retryIn, reason, tried }
  const tries = tried ? attempt : attempt - 1
  return { givenUp: `its time was over after ${tries} ${tries === 1 ? 'try' : 'tries'}, the last: ${reason}` }
}

/** One try, unless it comes too late. */
export const attempted = async (job: Job, handler: JobHandler, now: number): Promise<Outcome> => {
  if (now > job.until) return { giveUp: `its time was over before its try ${job.attempt}` }
  try {
    return await handler(job)
  } catch (error) {
    return { retry: errorMessage(error) }
  }
}
