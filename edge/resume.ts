import type { Clock } from '../actors/kernel/clock/port.ts'
import type { Change } from '../actors/timelines/views/changes.ts'
import { CLOSE } from '../contracts/stream.ts'
import type { Device } from './device.ts'
import { frameText } from './fanout.ts'
import type { Positions } from './positions.ts'

/** What changed for a person since a time (epoch ms), each thing once, in the order of change. */
export type Changes = (by: string, since: number, now: number) => Promise<readonly Change[]>

/** Older positions are not known any more: circles forget who left them after 25 h. */
const OLDEST_MS = 24 * 3_600_000
/** Frames a packet, and how long a reader may take for one. */
const PACKET = 50
const PATIENCE_MS = 10_000
const LOOK_MS = 50

/**
 * Brings a device that comes back up to date. Live events wait meanwhile: one that overtook the replay would carry a newer position, and a connection
 * lost just then would never ask for the rest.
 * @param lagged the frame that tells a device that its events stop
 */
export const resumer = (changes: Changes, positions: Positions, clock: Clock, lagged: () => string) => {
  const send = async (device: Device, all: readonly Change[]): Promise<boolean> => {
    for (let i = 0; i < all.length; i += PACKET) {
      const packet = all.slice(i, i + PACKET).map(c => frameText({ op: 'event', ...c, position: positions.at(Date.parse(c.at)) }))
      if (device.replay(packet) === 'dropped') return false
      for (let waited = 0; device.behind(); waited += LOOK_MS) {
        if (device.closed || waited > PATIENCE_MS) return false
        await clock.sleep(LOOK_MS)
      }
    }
    return true
  }
  return async (device: Device, position: string): Promise<void> => {
    if (device.held) return
    const since = positions.timeOf(position)
    const now = clock.now()
    if (since === undefined || now - since > OLDEST_MS) {
      device.resume()
      device.say(frameText({ op: 'reset' }))
      return
    }
    device.hold()
    try {
      const all = await changes(device.user, since, now)
      if (!(await send(device, all))) return device.lag(lagged)
      device.say(frameText({ op: 'resumed', replayed: all.length }))
      device.release(lagged)
    } catch {
      // It keeps its position, and asks again when it has reconnected.
      device.close(CLOSE.restart, 'try again later')
    }
  }
}
export type Resumer = ReturnType<typeof resumer>
