import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { BackplaneSubscription } from './backplane-subscription.ts'
import type { Connection } from './connection.ts'
import type { ConnectionRegistry } from './connections.ts'

/** How long a new socket waits for the backplane to know of it. */
const ONLINE_TIMEOUT_MS = 1_000

export type PresenceOptions = {
  readonly connections: ConnectionRegistry
  readonly subscription: Pick<BackplaneSubscription, 'current'>
  readonly clock: Clock
  readonly onUntold: (error: unknown) => void
  /** Called for who becomes known to the backplane only a while after they came: since then (epoch ms) they may have missed something. */
  readonly onLate: (user: string, since: number) => void
}

/** Tells the backplane of one person at a time how things stand: word of a quick return may not overtake word of the leaving. */
const announcer = (
  clock: Clock,
  announce: (user: string) => Promise<boolean>,
  announced: (user: string, known: boolean, asked: number) => void,
) => {
  const underWay = new Map<string, Promise<boolean>>()
  /** What waits for its turn to be told: it will tell how things stand then, so whoever comes meanwhile shares it. */
  const queued = new Map<string, Promise<boolean>>()
  return {
    underWay: (user: string): Promise<boolean> | undefined => underWay.get(user),
    /** @returns whether the backplane knows */
    announce: (user: string): Promise<boolean> => {
      const shared = queued.get(user)
      if (shared) return shared
      const before = underWay.get(user) ?? Promise.resolve(true)
      const asked = clock.now()
      const now = before.then(async () => {
        queued.delete(user)
        const known = await announce(user)
        if (underWay.get(user) === now) underWay.delete(user)
        announced(user, known, asked)
        return known
      })
      underWay.set(user, now)
      queued.set(user, now)
      return now
    },
  }
}

/** What the backplane knows of who is online at this edge. */
export const presence = ({ connections, subscription, clock, onUntold, onLate }: PresenceOptions) => {
  /** Those of whom the backplane may not know, and since when (epoch ms). */
  const unknown = new Map<string, number>()
  const tellBackplane = async (user: string): Promise<boolean> => {
    const seat = subscription.current()
    try {
      await (connections.has(user) ? seat?.present(user) : seat?.absent(user))
      return seat !== undefined
    } catch (error) {
      onUntold(error)
      return false
    }
  }
  const note = (user: string, known: boolean, asked: number): void => {
    const from = unknown.get(user)
    if (known || !connections.has(user)) unknown.delete(user)
    else unknown.set(user, from ?? asked)
    if (known && from !== undefined && connections.has(user)) onLate(user, from)
  }
  const { announce, underWay } = announcer(clock, tellBackplane, note)
  /** Waits a moment. @returns whether the backplane knows of the person by then */
  const knownSoon = async (user: string, told: Promise<boolean>): Promise<boolean> => {
    const asked = clock.now()
    const soon = await deadline(clock, ONLINE_TIMEOUT_MS).race(told, () => undefined)
    if (soon === undefined && connections.has(user)) unknown.set(user, unknown.get(user) ?? asked)
    return soon ?? false
  }
  return {
    /** @returns whether events for the person reach this edge; if they do not within a moment, they will once the backplane takes it */
    online: async (connection: Connection): Promise<boolean> => {
      const { user } = connection
      const told = connections.add(connection) ? announce(user) : (underWay(user) ?? (unknown.has(user) ? announce(user) : undefined))
      return told ? knownSoon(user, told) : true
    },
    offline: (connection: Connection): void => {
      if (connections.remove(connection)) void announce(connection.user)
    },
    /** The backplane has come to know of them by itself. */
    learned: (users: readonly string[]): void => {
      for (const user of users) unknown.delete(user)
    },
    /** Tells the backplane of everybody again, after it came back. */
    announceAll: (): void => {
      for (const user of connections.users()) void announce(user)
    },
  }
}
export type Presence = ReturnType<typeof presence>
