import { backOffMs } from '../ports/clock/back-off.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Delivery } from '../ports/mailbox/port.ts'

/**
 * Keeps received messages hidden from other workers while they are worked on. Short visibility plus a heartbeat: a killed worker's keys are free again soon.
 * @param onAge told with every beat for how long (ms) the oldest has been held; 0 when none is
 */
export const visibilityHeartbeat = (clock: Clock, visibility: number, onError: (error: unknown) => void, onAge: (ms: number) => void) => {
  /** Since when (as the clock’s `elapsed`), the oldest first. */
  const held = new Map<Delivery, number>()
  // Beats only while something is held: an idle worker does nothing.
  let beat: ReturnType<Clock['every']> | undefined
  const stop = () => {
    beat?.stop()
    beat = undefined
  }
  const extend = () => {
    const [oldest] = held.values()
    onAge(oldest === undefined ? 0 : clock.elapsed() - oldest)
    if (oldest === undefined) return stop()
    for (const delivery of held.keys()) delivery.extend(visibility).catch(onError)
  }
  return {
    keepInvisible: (delivery: Delivery) => {
      held.set(delivery, clock.elapsed())
      beat ??= clock.every((visibility * 1000) / 3.3, extend)
    },
    /** The message is acknowledged, or somebody else's again. */
    forget: (delivery: Delivery) => held.delete(delivery),
    /** Gives a message back, hidden for N seconds. */
    returnAfter: async (delivery: Delivery, seconds: number) => {
      held.delete(delivery)
      await delivery.extend(seconds).catch(onError)
    },
    stop,
  }
}
export type VisibilityHeartbeat = ReturnType<typeof visibilityHeartbeat>

const RETRY_DELAY = { firstMs: 1_000, maxMs: 60_000 }
/** Seconds until the next try of a message that was received N times: 1, 2, 4 … 60. */
export const retryDelay = (receives: number): number => backOffMs(receives, RETRY_DELAY) / 1000
