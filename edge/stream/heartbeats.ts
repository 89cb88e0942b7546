import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE } from '../../contracts/frames.ts'
import type { ConnectionRegistry } from './connections.ts'
import type { SetBacks } from './set-backs.ts'

/** How often tokens and heartbeats are looked at: at least a few times a heartbeat, and no more often than a timer is worth. */
const MAX_SWEEP_INTERVAL_MS = 1_000
const MIN_SWEEP_INTERVAL_MS = 10

/** Closes the connections whose token has expired or whose peer is silent, and pings the others. */
export const heartbeats = (connections: ConnectionRegistry, clock: Clock, steps: SetBacks, heartbeatMs: number) => {
  const sweep = () => {
    steps.look()
    const wall = clock.now()
    const now = clock.elapsed()
    for (const connection of connections.all()) {
      if (connection.closed) continue
      if (connection.tokenUntil <= wall) connection.close(CLOSE.token, 'the token has expired')
      else if (now - connection.seenAt >= 2 * heartbeatMs) connection.close(CLOSE.silent, 'no sign of life for two heartbeats')
      else if (now - connection.pingedAt >= heartbeatMs) connection.ping(now)
    }
  }
  return clock.every(Math.max(MIN_SWEEP_INTERVAL_MS, Math.min(MAX_SWEEP_INTERVAL_MS, heartbeatMs / 4)), sweep)
}
