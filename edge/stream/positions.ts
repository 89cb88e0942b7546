import { type EdgeSecret, signer } from '../request/signing.ts'

const FORM = /^([0-9a-z]{1,10})\.([\w-]{22})$/

/**
 * Changes reach a device a little later than they happen, and are stamped by hosts whose clocks differ a little: a position says so much less than now.
 * Half of it is for the way, half for the clocks (decision 32).
 */
const OVERLAP_MS = 10_000
/** By how much the clocks of two hosts may differ. */
export const MAX_SKEW_MS = OVERLAP_MS / 2
/** Since when (epoch ms) whoever heard all that was told until `now`, and no more, may have missed something. */
export const since = (now: number): number => Math.max(0, now - OVERLAP_MS)
/** Positions of the stream: a time, signed, so that what a client made up is told from what it was given. */
export const positions = (secret: EdgeSecret) => {
  const { sign, signed } = signer(secret, 'position')
  let last = { since: Number.NaN, text: '' }
  /** The position of whoever may have missed something since then (epoch ms). */
  const of = (from: number): string => {
    // Many frames go out in one millisecond.
    if (last.since !== from) {
      const time = from.toString(36)
      last = { since: from, text: `${time}.${sign(time)}` }
    }
    return last.text
  }
  return {
    of,
    /** The position of whoever has heard all that was told until then. @param now epoch ms */
    at: (now: number): string => of(since(now)),
    /** Since when (epoch ms) one at this position may have missed something; undefined for what was never given out. */
    timeOf: (position: string): number | undefined => {
      const [, time = '', signature = ''] = FORM.exec(position) ?? []
      return time !== '' && signed(time, signature) ? Number.parseInt(time, 36) : undefined
    },
  }
}
export type Positions = ReturnType<typeof positions>
