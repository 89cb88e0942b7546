import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { overloaded } from '../request/problems.ts'
import type { WaitingRoom } from './reply-waiters.ts'

/**
 * When the edge takes no more commands.
 * @property most commands under way at once
 * @property ageMs how long the oldest may have waited for its reply, leaving out `stragglers`: a few stuck keys are no reason to refuse the others
 */
export type PressureLimits = { readonly most: number; readonly ageMs: number; readonly stragglers: number }
export const PRESSURE: PressureLimits = { most: 10_000, ageMs: 4_000, stragglers: 100 }
const RETRY_S = 2
/** How long one look at those who wait is good for. */
const LOOK_MS = 50

/**
 * Sheds load before it becomes latency: counts the commands under way and watches how long their replies take.
 * @param heard whether replies can reach this edge at all; while they cannot, their absence says nothing of the workers
 */
export const pressure = (waiting: WaitingRoom, clock: Clock, heard: () => boolean, limits: PressureLimits) => {
  let underWay = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  let since: number | undefined
  const age = (now: number) => {
    if (waiting.size() <= limits.stragglers || !heard()) return 0
    if (now - lookedAt >= LOOK_MS) {
      lookedAt = now
      since = waiting.since(limits.stragglers)
    }
    return now - (since ?? now)
  }
  return {
    underWay: () => underWay,
    /** A command begins. @throws EdgeProblem `overloaded` instead */
    enter: (): void => {
      if (underWay >= limits.most) throw overloaded(`${underWay} commands are under way here`, RETRY_S)
      const waited = age(clock.elapsed())
      if (waited > limits.ageMs) throw overloaded(`commands have waited ${waited} ms for their replies`, RETRY_S)
      underWay++
    },
    /** It is answered. */
    leave: (): void => {
      underWay--
    },
  }
}
export type Gauge = ReturnType<typeof pressure>
