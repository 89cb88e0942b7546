import type { Clock } from '../clock/port.ts'
import type { Outgoing } from './port.ts'

/** A message in a queue. `handle` counts its receives: an older one is stale. `sentAt` is in epoch ms, `hiddenUntil` as the clock’s `elapsed`. */
export type Kept = {
  readonly id: string
  readonly message: Outgoing
  readonly sentAt: number
  readonly sequence: number
  readonly group: Group
  handle: number
  hiddenUntil: number
  state: 'waiting' | 'in flight' | 'gone'
}
type Group = { readonly name: string; readonly fifo: boolean; readonly waiting: Kept[]; inFlight: number; listed: number }

const DEDUPLICATION_MS = 300_000
const FORGET_EVERY_MS = 1_000

/**
 * A queue as AWS describes it. FIFO: no message of a group while an earlier receive of it is in flight, several of a group in one receive, in order.
 * Standard: every message for itself, in any order. Which groups a receive takes is up to `random`.
 */
export const memoryQueue = (name: string, fifo: boolean, clock: Clock, random: () => number) => {
  const groups = new Map<string, Group>()
  /** Groups that a receive may take from; `listed` is a group's index here, so that taking one out costs nothing. */
  const ready: Group[] = []
  /** In flight, or delayed. */
  const hidden = new Set<Kept>()
  const seen = new Map<string, number>()
  let pollers: (() => void)[] = []
  let sequence = 0
  let waiting = 0
  let forgetAt = 0
  let armed = Number.POSITIVE_INFINITY

  const unlist = (group: Group) => {
    const last = ready.pop()
    if (last && last !== group) {
      ready[group.listed] = last
      last.listed = group.listed
    }
    group.listed = -1
  }
  /** After whatever happened to a group: lists it, or forgets it. */
  const settle = (group: Group) => {
    const [head] = group.waiting
    const takable = group.inFlight === 0 && head !== undefined && head.hiddenUntil <= clock.elapsed()
    if (takable && group.listed < 0) group.listed = ready.push(group) - 1
    if (!takable && group.listed >= 0) unlist(group)
    if (head === undefined && group.inFlight === 0) groups.delete(group.name)
    if (!takable) return
    const woken = pollers
    pollers = []
    for (const wake of woken) wake()
  }
  const comeBack = (kept: Kept) => {
    hidden.delete(kept)
    if (kept.state === 'in flight') {
      kept.state = 'waiting'
      kept.hiddenUntil = 0
      waiting++
      kept.group.inFlight--
      // Before those that were sent later.
      const at = kept.group.waiting.findIndex(other => other.sequence > kept.sequence)
      kept.group.waiting.splice(at < 0 ? kept.group.waiting.length : at, 0, kept)
    }
    settle(kept.group)
  }
  /** One timer for all that is hidden, at the earliest end: most is acknowledged before it rings. */
  const hide = (kept: Kept, until: number) => {
    kept.hiddenUntil = until
    hidden.add(kept)
    arm(until)
  }
  const arm = (at: number) => {
    if (at >= armed) return
    armed = at
    clock.sleep(at - clock.elapsed()).then(
      () => armed === at && lapse(),
      () => {},
    )
  }
  const lapse = () => {
    armed = Number.POSITIVE_INFINITY
    const now = clock.elapsed()
    let earliest = Number.POSITIVE_INFINITY
    for (const kept of hidden) {
      if (kept.hiddenUntil <= now) comeBack(kept)
      else earliest = Math.min(earliest, kept.hiddenUntil)
    }
    if (hidden.size > 0) arm(earliest)
  }
  const repeated = (id: string): boolean => {
    const now = clock.elapsed()
    if (now >= forgetAt) {
      for (const [old, at] of seen) {
        if (at + DEDUPLICATION_MS > now) break
        seen.delete(old)
      }
      forgetAt = now + FORGET_EVERY_MS
    }
    const at = seen.get(id)
    if (at !== undefined && at + DEDUPLICATION_MS > now) return true
    // Deleted first, so that the oldest stay at the front.
    if (at !== undefined) seen.delete(id)
    seen.set(id, now)
    return false
  }
  const groupOf = (message: Outgoing, own: string): Group => {
    const of = fifo ? (message.group ?? own) : own
    const group = groups.get(of) ?? { name: of, fifo, waiting: [], inFlight: 0, listed: -1 }
    groups.set(of, group)
    return group
  }

  return {
    /** @param delay milliseconds until it can be received */
    put: (message: Outgoing, delay = 0, anew = false) => {
      if (fifo && !anew && repeated(message.id)) return
      const own = `${name}-${++sequence}`
      const group = groupOf(message, own)
      const sentAt = clock.now()
      const id = fifo ? message.id : own
      const kept: Kept = { id, message, sentAt, sequence, group, handle: 0, hiddenUntil: 0, state: 'waiting' }
      group.waiting.push(kept)
      waiting++
      if (delay > 0) hide(kept, clock.elapsed() + delay)
      settle(group)
    },
    /** @param visibility seconds */
    take: (most: number, visibility: number): Kept[] => {
      const now = clock.elapsed()
      const batch: Kept[] = []
      while (batch.length < most && ready.length > 0) {
        const group = ready[Math.floor(random() * ready.length)]
        if (!group) break
        unlist(group)
        for (let [head] = group.waiting; head && head.hiddenUntil <= now && batch.length < most; [head] = group.waiting) {
          group.waiting.shift()
          group.inFlight++
          waiting--
          head.handle++
          head.state = 'in flight'
          hide(head, now + visibility * 1000)
          batch.push(head)
        }
      }
      return batch
    },
    ack: (kept: Kept, handle: number) => {
      if (kept.handle !== handle || kept.state !== 'in flight') return
      kept.state = 'gone'
      hidden.delete(kept)
      kept.group.inFlight--
      settle(kept.group)
    },
    extend: (kept: Kept, handle: number, seconds: number) => {
      if (kept.handle !== handle || kept.state !== 'in flight') return
      if (seconds === 0) comeBack(kept)
      else hide(kept, clock.elapsed() + seconds * 1000)
    },
    /** Resolves when there may be something to take. */
    arrival: () => new Promise<void>(resolve => pollers.push(resolve)),
    wake: () => {
      for (const wake of pollers.splice(0)) wake()
    },
    depth: () => {
      let inFlight = 0
      for (const kept of hidden) if (kept.state === 'in flight') inFlight++
      return { waiting, inFlight }
    },
  }
}
