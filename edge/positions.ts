import { signer } from './seals.ts'

/** Changes reach a device a little later than they happen: a position says so much less than now. */
const OVERLAP_MS = 10_000
/** Positions of the stream: a time, signed, so that what a client made up is told from what it was given. */
export const positions = (secret: string) => {
  const { sign } = signer(secret, 'position')
  let last = { at: Number.NaN, text: '' }
  return (now: number): string => {
    // Many frames go out in one millisecond.
    if (last.at !== now) {
      const time = Math.max(0, now - OVERLAP_MS).toString(36)
      last = { at: now, text: `${time}.${sign(time)}` }
    }
    return last.text
  }
}
export type Positions = ReturnType<typeof positions>
