import type { Backplane, EdgeListener, EdgeSeat } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'

/** How long the start waits for the backplane; then the edge serves without it. */
const JOIN_TIMEOUT_MS = 2_000
const MIN_PAUSE_MS = 100
const MAX_PAUSE_MS = 10_000

export type BackplaneSubscription = {
  /** The subscription, while there is one. */
  readonly current: () => EdgeSeat | undefined
  /**
   * Subscribes, and keeps trying while the backplane is down: without it callers wait in vain and get a 202, nothing else.
   * @param onJoined called when it is subscribed
   * @returns when it is, or has not been for too long
   */
  readonly join: (listener: EdgeListener, onJoined: () => void) => Promise<void>
  readonly leave: () => Promise<void>
}

/** The subscription of this edge to the backplane. @param edge its name there. @param onError hears why it cannot be had */
export const backplaneSubscription = (
  edge: string,
  backplane: Pick<Backplane, 'join'>,
  clock: Clock,
  onError: (error: unknown) => void,
): BackplaneSubscription => {
  const left = new AbortController()
  let current: EdgeSeat | undefined
  const keepTrying = async (listener: EdgeListener, onJoined: () => void) => {
    for (let pause = MIN_PAUSE_MS; !left.signal.aborted; pause = Math.min(MAX_PAUSE_MS, pause * 2)) {
      try {
        current = await backplane.join(edge, listener)
        return onJoined()
      } catch (error) {
        onError(error)
        await clock.sleep(pause, left.signal).catch(() => {})
      }
    }
  }
  return {
    current: () => current,
    join: async (listener, onJoined) => {
      const bound = new AbortController()
      await Promise.race([keepTrying(listener, onJoined), clock.sleep(JOIN_TIMEOUT_MS, bound.signal).catch(() => {})])
      bound.abort()
    },
    leave: async () => {
      left.abort()
      await current?.leave().catch(onError)
    },
  }
}
