import type { Live } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { ServerFrame } from '../../contracts/frames.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import type { Device, Lagged } from './connection.ts'
import { type Positions, since } from './positions.ts'
import type { Presence } from './presence.ts'
import { repeats } from './repeats.ts'

export const frameText = (frame: ServerFrame): string => JSON.stringify(frame)

/**
 * Brings live frames to the devices of those they are for. A frame becomes bytes once, whoever gets it; what comes within one turn of the event loop goes
 * to each device as one packet, because a system call a frame and device is what costs.
 */
export const fanout = (presence: Presence, positions: Positions, clock: Clock, metrics: EdgeMetrics) => {
  const dirty = new Set<Device>()
  const { fresh } = repeats()
  let scheduled = false
  const lagged: Lagged = from => {
    metrics.frame('lagged')
    return frameText({ op: 'lagged', position: positions.of(from) })
  }
  const flush = () => {
    scheduled = false
    const gap = since(clock.now())
    for (const device of dirty) device.flush(lagged, gap)
    dirty.clear()
  }
  return {
    lagged,
    deliver: ({ id, to, type, at, data }: Live): void => {
      let frame: Uint8Array | undefined
      let told = 0
      for (const user of fresh(id, to)) {
        const devices = presence.of(user)
        if (!devices) continue
        frame ??= Buffer.from(frameText({ op: 'event', id, type, at, data, position: positions.at(clock.now()) }))
        for (const device of devices) {
          if (!device.hear(frame, since(clock.now()))) continue
          dirty.add(device)
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
