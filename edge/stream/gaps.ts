import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Connection, Lagged } from './connection.ts'
import type { ConnectionRegistry } from './connections.ts'
import { since } from './positions.ts'

/**
 * How many connections are told in a moment that they missed something. Each reads what changed, and an edge has thousands; the first moment lets gaps that
 * follow each other become one.
 */
const MAX_TOLD_A_MOMENT = 100
const MOMENT_MS = 100

/** Stops the events of connections that missed some, and tells them to resume. @param lagged the frame that says so */
export const gapNotices = (connections: ConnectionRegistry, clock: Clock, lagged: Lagged) => {
  /** Those who do not know yet that events passed them by. */
  const untold = new Set<Connection>()
  let telling = false
  const tellNext = () => {
    let room = MAX_TOLD_A_MOMENT
    for (const connection of untold) {
      untold.delete(connection)
      connection.sendLagged(lagged)
      if (--room === 0) break
    }
  }
  const tellAll = async () => {
    if (telling) return
    telling = true
    while (untold.size > 0) {
      await clock.sleep(MOMENT_MS)
      tellNext()
    }
    telling = false
  }
  return {
    /**
     * Live events since then (epoch ms) may be lost on their way to this edge: the events of its connections stop at once, and each is told to resume.
     * @param users whose connections; without them everybody's
     */
    missed: (told: number, users?: readonly string[]): void => {
      for (const connection of users ? connections.ofUsers(users) : connections.all()) {
        connection.startGap(since(told))
        untold.add(connection)
      }
      void tellAll()
    },
    /** Tells nobody any more. */
    clear: (): void => untold.clear(),
  }
}
