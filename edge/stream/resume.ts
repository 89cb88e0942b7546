import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE } from '../../contracts/frames.ts'
import { late } from '../request/problems.ts'
import type { Connection, Lagged } from './connection.ts'
import { frameText } from './fanout.ts'
import { MAX_SKEW_MS, type Positions, since } from './positions.ts'
import type { SetBacks } from './set-backs.ts'

/** A thing as it is now, told as an event of its latest kind; `at` is when it changed last (RFC 3339). */
export type Change = { readonly id: string; readonly type: string; readonly at: string; readonly data: unknown }
/** What changed for a person since a time (epoch ms), each thing once, in the order of change. */
export type Changes = (by: string, since: number, now: number) => Promise<readonly Change[]>

/** Older positions are not known any more: circles forget who left them after 25 h. */
const MAX_AGE_MS = 24 * 3_600_000
/** Frames a packet, and how long a reader may take for one. */
const PACKET_FRAMES = 50
const PACKET_TIMEOUT_MS = 10_000
const BACKLOG_INTERVAL_MS = 50
/** How long reading what changed may take. */
const READ_TIMEOUT_MS = 10_000

/** Sends what changed in packets, as fast as it is read. @returns false for a reader that is too slow, or gone */
const replayer =
  (positions: Positions, clock: Clock) =>
  async (connection: Connection, all: readonly Change[]): Promise<boolean> => {
    for (let i = 0; i < all.length; i += PACKET_FRAMES) {
      const now = clock.now()
      // A host whose clock is ahead stamps changes with times to come; what happens until then is not heard yet.
      const packet = all
        .slice(i, i + PACKET_FRAMES)
        .map(c => frameText({ op: 'event', ...c, position: positions.at(Math.min(now, Date.parse(c.at))) }))
      if (connection.replay(packet) === 'dropped') return false
      for (let waited = 0; connection.isBehind(); waited += BACKLOG_INTERVAL_MS) {
        if (connection.closed || waited > PACKET_TIMEOUT_MS) return false
        await clock.sleep(BACKLOG_INTERVAL_MS)
      }
    }
    return true
  }

/**
 * Brings a device that comes back up to date. Live events wait meanwhile: one that overtook the replay would carry a newer position, and a connection
 * lost just then would never ask for the rest. One replay of a device follows the other, for the same reason.
 * @param lagged the frame that tells a device that its events stop
 */
export const resumer = (changes: Changes, positions: Positions, clock: Clock, steps: SetBacks, lagged: Lagged) => {
  const replay = replayer(positions, clock)
  /**
   * Whether all that changed after a position has a later time. Not when it is from the future: the clock was set back, or another edge's is ahead, and what
   * changed since may have been stamped with times before it.
   */
  const answerable = (asked: number): boolean => {
    const now = clock.now()
    return now - asked <= MAX_AGE_MS && asked <= since(now) + MAX_SKEW_MS && !steps.twice(asked, MAX_SKEW_MS)
  }
  /** Those who ask again while they are brought up to date, and since when: they are next. */
  const next = new Map<Connection, number>()
  const nextOf = (connection: Connection): number | undefined => {
    const from = next.get(connection)
    next.delete(connection)
    return from
  }
  return async (connection: Connection, position: string): Promise<void> => {
    const asked = positions.timeOf(position)
    if (asked === undefined || !answerable(asked)) {
      connection.endGap()
      connection.send(frameText({ op: 'reset' }))
      return
    }
    if (connection.eventsHeld) {
      next.set(connection, Math.min(asked, next.get(connection) ?? asked))
      return
    }
    const began = since(clock.now())
    try {
      for (let at: number | undefined = asked; at !== undefined; at = nextOf(connection)) {
        const from = connection.holdEvents(at)
        const all = await deadline(clock, READ_TIMEOUT_MS).race(
          changes(connection.user, from, clock.now()),
          late('what changed could not be read in time'),
        )
        if (!(await replay(connection, all))) {
          connection.startGap(Math.min(from, nextOf(connection) ?? from))
          break
        }
        connection.send(frameText({ op: 'resumed', replayed: all.length }))
      }
      connection.releaseEvents(lagged, began)
    } catch {
      next.delete(connection)
      // It keeps its position, and asks again when it has reconnected.
      connection.close(CLOSE.restart, 'try again later')
    }
  }
}
export type Resumer = ReturnType<typeof resumer>
