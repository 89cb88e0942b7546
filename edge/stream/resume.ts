import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Change } from '../../actors/timelines/views/changes.ts'
import { CLOSE } from '../../contracts/frames.ts'
import { late } from '../request/problems.ts'
import type { Device, Lagged } from './connection.ts'
import { frameText } from './fanout.ts'
import { MOST_SKEW_MS, type Positions, since } from './positions.ts'
import type { SetBacks } from './set-backs.ts'

/** What changed for a person since a time (epoch ms), each thing once, in the order of change. */
export type Changes = (by: string, since: number, now: number) => Promise<readonly Change[]>

/** Older positions are not known any more: circles forget who left them after 25 h. */
const OLDEST_MS = 24 * 3_600_000
/** Frames a packet, and how long a reader may take for one. */
const PACKET = 50
const PATIENCE_MS = 10_000
const LOOK_MS = 50
/** How long reading what changed may take. */
const READ_MS = 10_000

/**
 * Brings a device that comes back up to date. Live events wait meanwhile: one that overtook the replay would carry a newer position, and a connection
 * lost just then would never ask for the rest. One replay of a device follows the other, for the same reason.
 * @param lagged the frame that tells a device that its events stop
 */
export const resumer = (changes: Changes, positions: Positions, clock: Clock, steps: SetBacks, lagged: Lagged) => {
  const send = async (device: Device, all: readonly Change[]): Promise<boolean> => {
    for (let i = 0; i < all.length; i += PACKET) {
      const now = clock.now()
      // A host whose clock is ahead stamps changes with times to come; what happens until then is not heard yet.
      const packet = all
        .slice(i, i + PACKET)
        .map(c => frameText({ op: 'event', ...c, position: positions.at(Math.min(now, Date.parse(c.at))) }))
      if (device.replay(packet) === 'dropped') return false
      for (let waited = 0; device.behind(); waited += LOOK_MS) {
        if (device.closed || waited > PATIENCE_MS) return false
        await clock.sleep(LOOK_MS)
      }
    }
    return true
  }
  /**
   * Whether all that changed after a position has a later time. Not when it is from the future: the clock was set back, or another edge's is ahead, and what
   * changed since may have been stamped with times before it.
   */
  const answerable = (asked: number): boolean => {
    const now = clock.now()
    return now - asked <= OLDEST_MS && asked <= since(now) + MOST_SKEW_MS && !steps.twice(asked, MOST_SKEW_MS)
  }
  /** Those who ask again while they are brought up to date, and since when: they are next. */
  const next = new Map<Device, number>()
  const nextOf = (device: Device): number | undefined => {
    const from = next.get(device)
    next.delete(device)
    return from
  }
  return async (device: Device, position: string): Promise<void> => {
    const asked = positions.timeOf(position)
    if (asked === undefined || !answerable(asked)) {
      device.resume()
      device.say(frameText({ op: 'reset' }))
      return
    }
    if (device.held) {
      next.set(device, Math.min(asked, next.get(device) ?? asked))
      return
    }
    const began = since(clock.now())
    try {
      for (let at: number | undefined = asked; at !== undefined; at = nextOf(device)) {
        const from = device.hold(at)
        const all = await deadline(clock, READ_MS).race(
          changes(device.user, from, clock.now()),
          late('what changed could not be read in time'),
        )
        if (!(await send(device, all))) {
          device.lag(Math.min(from, nextOf(device) ?? from))
          break
        }
        device.say(frameText({ op: 'resumed', replayed: all.length }))
      }
      device.release(lagged, began)
    } catch {
      next.delete(device)
      // It keeps its position, and asks again when it has reconnected.
      device.close(CLOSE.restart, 'try again later')
    }
  }
}
export type Resumer = ReturnType<typeof resumer>
