import type { EdgeSeat } from '../../actors/kernel/ports/backplane/port.ts'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Device } from './connection.ts'

/** How long a new socket waits for the backplane to know of it. */
const PATIENCE_MS = 1_000

/**
 * The devices at this edge by their person, and the backplane's knowledge of who is here.
 * @param late called for who becomes known to the backplane only a while after they came: since then (epoch ms) they may have missed something
 */
export const presence = (
  seat: () => EdgeSeat | undefined,
  clock: Clock,
  log: (error: unknown) => void,
  late: (user: string, since: number) => void,
) => {
  const devices = new Map<string, Set<Device>>()
  const telling = new Map<string, Promise<boolean>>()
  /** What waits for its turn to be told: it will tell how things stand then, so whoever comes meanwhile shares it. */
  const queued = new Map<string, Promise<boolean>>()
  /** Those of whom the backplane may not know, and since when (epoch ms). */
  const unknown = new Map<string, number>()
  let count = 0

  const say = async (user: string): Promise<boolean> => {
    const place = seat()
    try {
      await (devices.has(user) ? place?.present(user) : place?.absent(user))
      return place !== undefined
    } catch (error) {
      log(error)
      return false
    }
  }
  const note = (user: string, known: boolean, asked: number): void => {
    const from = unknown.get(user)
    if (known || !devices.has(user)) unknown.delete(user)
    else unknown.set(user, from ?? asked)
    if (known && from !== undefined && devices.has(user)) late(user, from)
  }
  /** Tells the backplane how things stand by then: word of a quick return may not overtake word of the leaving. @returns whether it knows */
  const tell = (user: string): Promise<boolean> => {
    const shared = queued.get(user)
    if (shared) return shared
    const before = telling.get(user) ?? Promise.resolve(true)
    const asked = clock.now()
    const now = before.then(async () => {
      queued.delete(user)
      const known = await say(user)
      if (telling.get(user) === now) telling.delete(user)
      note(user, known, asked)
      return known
    })
    telling.set(user, now)
    queued.set(user, now)
    return now
  }
  /** Waits a moment. @returns whether the backplane knows of the person by then */
  const known = async (user: string, told: Promise<boolean>): Promise<boolean> => {
    const asked = clock.now()
    const soon = await deadline(clock, PATIENCE_MS).race(told, () => undefined)
    if (soon === undefined && devices.has(user)) unknown.set(user, unknown.get(user) ?? asked)
    return soon ?? false
  }
  return {
    size: () => count,
    all: function* () {
      for (const of of devices.values()) yield* of
    },
    of: (user: string): ReadonlySet<Device> | undefined => devices.get(user),
    devicesOf: function* (users: readonly string[]) {
      for (const user of users) yield* devices.get(user) ?? []
    },
    /** @returns whether events for the person reach this edge; if they do not within a moment, they will once the backplane takes it */
    enter: async (device: Device): Promise<boolean> => {
      const others = devices.get(device.user)
      count++
      if (others) {
        others.add(device)
        const told = telling.get(device.user) ?? (unknown.has(device.user) ? tell(device.user) : undefined)
        return told ? known(device.user, told) : true
      }
      devices.set(device.user, new Set([device]))
      return known(device.user, tell(device.user))
    },
    leave: (device: Device): void => {
      const all = devices.get(device.user)
      if (!all?.delete(device)) return
      count--
      if (all.size > 0) return
      devices.delete(device.user)
      void tell(device.user)
    },
    /** The backplane has come to know of them by itself. */
    learned: (users: readonly string[]): void => {
      for (const user of users) unknown.delete(user)
    },
    /** Tells the backplane of everybody again, after it came back. */
    announce: (): void => {
      for (const user of devices.keys()) void tell(user)
    },
  }
}
export type Presence = ReturnType<typeof presence>
