import type { Live } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { ServerFrame } from '../../contracts/frames.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import type { Connection, Lagged } from './connection.ts'
import type { ConnectionRegistry } from './connections.ts'
import { type Positions, since } from './positions.ts'
import { repeats } from './repeats.ts'

export const frameText = (frame: ServerFrame): string => JSON.stringify(frame)

/**
 * Brings live frames to the connections of those they are for. A frame becomes bytes once, whoever gets it; what comes within one turn of the event loop goes
 * to each connection as one packet, because a system call a frame and connection is what costs.
 */
export const fanout = (connections: ConnectionRegistry, positions: Positions, clock: Clock, metrics: EdgeMetrics) => {
  const dirty = new Set<Connection>()
  const { fresh } = repeats()
  let scheduled = false
  const lagged: Lagged = from => {
    metrics.frame('lagged')
    return frameText({ op: 'lagged', position: positions.of(from) })
  }
  const flush = () => {
    scheduled = false
    const gap = since(clock.now())
    for (const connection of dirty) connection.flush(lagged, gap)
    dirty.clear()
  }
  return {
    lagged,
    deliver: ({ id, to, type, at, data }: Live): void => {
      let frame: Uint8Array | undefined
      let told = 0
      for (const user of fresh(id, to)) {
        const theirs = connections.of(user)
        if (!theirs) continue
        frame ??= Buffer.from(frameText({ op: 'event', id, type, at, data, position: positions.at(clock.now()) }))
        for (const connection of theirs) {
          if (!connection.queueEvent(frame, since(clock.now()))) continue
          dirty.add(connection)
          told++
        }
      }
      metrics.frame('told', told)
      if (scheduled || dirty.size === 0) return
      scheduled = true
      setImmediate(flush)
    },
  }
}
