import type { Backplane, EdgeListener, EdgeSeat } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'

/** How long the start waits for the backplane; then the edge serves without it. */
const PATIENCE_MS = 2_000
const LONGEST_PAUSE_MS = 10_000

export type Seat = {
  /** The place on the backplane, once it is taken. */
  readonly seat: () => EdgeSeat | undefined
  readonly leave: () => Promise<void>
}

/**
 * Takes this edge's place on the backplane and keeps trying while it is down: without it callers wait in vain and get a 202, nothing else.
 * @param seated called when the place is taken
 */
export const keepSeat = async (
  options: { backplane: Backplane; clock: Clock; edge: string; log: (error: unknown) => void; seated: () => void },
  listener: EdgeListener,
): Promise<Seat> => {
  const { backplane, clock, edge, log, seated } = options
  const left = new AbortController()
  let seat: EdgeSeat | undefined
  const join = async () => {
    for (let pause = 100; !left.signal.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      try {
        seat = await backplane.join(edge, listener)
        return seated()
      } catch (error) {
        log(error)
        await clock.sleep(pause, left.signal).catch(() => {})
      }
    }
  }
  const joined = join()
  const bound = new AbortController()
  await Promise.race([joined, clock.sleep(PATIENCE_MS, bound.signal).catch(() => {})])
  bound.abort()
  return {
    seat: () => seat,
    leave: async () => {
      left.abort()
      await seat?.leave().catch(log)
    },
  }
}
