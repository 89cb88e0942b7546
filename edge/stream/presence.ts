import type { EdgeSeat } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Device } from './connection.ts'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'

/** How long a new socket waits for the backplane to know of it. */
const PATIENCE_MS = 1_000

/** The devices at this edge by their person, and the backplane's knowledge of who is here. */
export const presence = (seat: () => EdgeSeat | undefined, clock: Clock, log: (error: unknown) => void) => {
  const devices = new Map<string, Set<Device>>()
  const telling = new Map<string, Promise<void>>()
  /** What waits for its turn to be told: it will tell how things stand then, so whoever comes meanwhile shares it. */
  const queued = new Map<string, Promise<void>>()
  let count = 0

  /** Tells the backplane how things stand by then: word of a quick return may not overtake word of the leaving. */
  const tell = (user: string): Promise<void> => {
    const shared = queued.get(user)
    if (shared) return shared
    const before = telling.get(user) ?? Promise.resolve()
    const now = before.then(async () => {
      queued.delete(user)
      try {
        await (devices.has(user) ? seat()?.present(user) : seat()?.absent(user))
      } catch (error) {
        log(error)
      }
      if (telling.get(user) === now) telling.delete(user)
    })
    telling.set(user, now)
    queued.set(user, now)
    return now
  }
  return {
    size: () => count,
    all: function* () {
      for (const of of devices.values()) yield* of
    },
    of: (user: string): ReadonlySet<Device> | undefined => devices.get(user),
    /** Resolves when events for the person reach this edge, or after a moment: then they do once the backplane is back. */
    enter: async (device: Device): Promise<void> => {
      const others = devices.get(device.user)
      count++
      if (others) {
        others.add(device)
        const told = telling.get(device.user)
        if (told) await deadline(clock, PATIENCE_MS).race(told, () => {})
        return
      }
      devices.set(device.user, new Set([device]))
      await deadline(clock, PATIENCE_MS).race(tell(device.user), () => {})
    },
    leave: (device: Device): void => {
      const all = devices.get(device.user)
      if (!all?.delete(device)) return
      count--
      if (all.size > 0) return
      devices.delete(device.user)
      void tell(device.user)
    },
    /** Tells the backplane of everybody again, after it came back. */
    announce: (): void => {
      for (const user of devices.keys()) void tell(user)
    },
  }
}
export type Presence = ReturnType<typeof presence>
