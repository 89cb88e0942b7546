import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { overloaded } from '../request/problems.ts'
import type { Subject, Unsettled } from './unsettled.ts'

/**
 * When the edge takes no more commands, whoever sends them.
 * @property most commands under way at once: what this process can hold. One person has at most a hundredth of them (`unsettled.ts`)
 * @property ageMs how long replies may take
 * @property stragglers an actor is overloaded when replies take longer for more people than this, about more keys than this: one person, or one key, whoever
 * asks it, is no reason to refuse the others
 */
export type LoadLimits = { readonly most: number; readonly ageMs: number; readonly stragglers: number }
export const DEFAULT_LOAD_LIMITS: LoadLimits = { most: 10_000, ageMs: 4_000, stragglers: 50 }
const RETRY_AFTER_S = 2
/** How long one look at those who wait is good for. */
const LOOK_INTERVAL_MS = 50

/** People and keys whose commands have waited too long, of one actor. */
type Overdue = { readonly people: Set<string>; readonly keys: Set<string> }

/**
 * Sheds load before it becomes latency: counts the commands under way and watches how long their replies take.
 * @param heard whether replies can reach this edge at all; while they cannot, their absence says nothing of the workers
 */
export const loadShedder = (commands: Unsettled, clock: Clock, heard: () => boolean, limits: LoadLimits) => {
  let underWay = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  let overdue = new Map<string, Overdue>()
  const look = (now: number) => {
    lookedAt = now
    overdue = new Map()
    for (const { actor, user, key, since } of commands.waiting()) {
      if (now - since <= limits.ageMs) return
      const late = overdue.get(actor) ?? { people: new Set(), keys: new Set() }
      overdue.set(actor, late)
      late.people.add(user)
      late.keys.add(key)
    }
  }
  const isOverloaded = (actor: string, now: number): boolean => {
    if (!heard()) return false
    if (now - lookedAt >= LOOK_INTERVAL_MS) look(now)
    const late = overdue.get(actor)
    return late !== undefined && Math.min(late.people.size, late.keys.size) > limits.stragglers
  }
  return {
    underWay: () => underWay,
    /**
     * A command begins.
     * @param wishesToWait whether its caller would wait for the reply
     * @throws EdgeProblem `overloaded`, `rate-limited` instead
     */
    enter: (subject: Subject, wishesToWait: boolean) => {
      if (underWay >= limits.most) throw overloaded(`${underWay} commands are under way here`, RETRY_AFTER_S)
      if (isOverloaded(subject.actor, clock.elapsed())) throw overloaded(`replies take longer than ${limits.ageMs} ms`, RETRY_AFTER_S)
      const entry = commands.enter(subject, wishesToWait)
      underWay++
      return {
        ...entry,
        /** It is answered. @param pending with a 202 */
        leave: (pending: boolean): void => {
          underWay--
          entry.leave(pending)
        },
      }
    },
  }
}
export type LoadShedder = ReturnType<typeof loadShedder>
/** A command under way, as it is counted. */
export type CommandEntry = ReturnType<LoadShedder['enter']>
