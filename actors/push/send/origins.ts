import { LRUCache } from 'lru-cache'
import { backOffMs, spreadMs } from '../../kernel/ports/clock/back-off.ts'
import type { Verdict } from './answer.ts'

export type OriginsOptions = {
  /** Milliseconds since an arbitrary moment: pauses do not end with a wall clock that is set. */
  readonly elapsed: () => number
  readonly random: () => number
  /** How many requests there can be at once, to all origins. */
  readonly slots: number
  /** An origin refuses us whomever we call it for, or does no longer. */
  readonly refusing: (origin: string, now: boolean) => void
}

type Origin = {
  readonly underWay: Set<number>
  readonly refusedFor: Set<string>
  /** Whether the last thing we know is an answer that made sense. */
  answers: boolean
  /** Whether it was long in failing. */
  hangs: boolean
  failures: number
  failingSince: number
  failedAt: number
  until: number
  refusals: number
}

/** A share of the slots is all that an origin gets which has not answered yet, fails, or leaves us waiting; one that only leaves us waiting, a single one. */
const SHARE = 4
const SLOW_MS = 1_000
/** How soon to come back for a slot. */
const CROWDED_MS = 250
const SECOND = 1_000
/**
 * The whole origin is left alone once it has failed so often, and for so long, without a success between. Before that each message's own pauses do:
 * an origin that stumbles must not keep everybody's messages waiting.
 */
const PATIENT = { failures: 3, ms: 5 * SECOND }
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Different subscriptions refused in a row: then it is us, not one of them. */
const REFUSED = 5
const KEPT = { origins: 1_000, subscriptions: 10_000 }

/** 1, 2, 4 … times `first`, at most `most`, give or take a quarter. */
const grown = (first: number, times: number, most: number, random: () => number) =>
  spreadMs(backOffMs(times + 1, { firstMs: first, maxMs: most }), random)

/**
 * Whom of the push services to call now. One that is slow, broken or refuses us holds a share of the slots at the most, and is left alone for growing
 * times; the others never wait for it. Known in this process only: another finds out by itself.
 */
export const pushOrigins = ({ elapsed, random, slots, refusing }: OriginsOptions) => {
  const origins = new LRUCache<string, Origin>({ max: KEPT.origins })
  const refusedSubscriptions = new LRUCache<string, { until: number; times: number }>({ max: KEPT.subscriptions })
  let serial = 0

  const originOf = (name: string): Origin => {
    const origin = origins.get(name) ?? {
      underWay: new Set(),
      refusedFor: new Set(),
      answers: false,
      hangs: false,
      failures: 0,
      failingSince: 0,
      failedAt: 0,
      until: 0,
      refusals: 0,
    }
    origins.set(name, origin)
    return origin
  }
  const began = new Map<number, number>()
  const slow = (origin: Origin) => {
    const [oldest] = origin.underWay
    return oldest !== undefined && elapsed() - (began.get(oldest) ?? elapsed()) > SLOW_MS
  }
  const most = (origin: Origin) => {
    if (origin.answers && !slow(origin)) return slots
    return origin.hangs && origin.failures >= PATIENT.failures ? 1 : Math.max(1, Math.floor(slots / SHARE))
  }
  const pause = (origin: Origin, ms: number) => {
    origin.until = Math.max(origin.until, elapsed() + ms)
  }

  const refused = (name: string, origin: Origin, subscription: string) => {
    const times = refusedSubscriptions.get(subscription)?.times ?? 0
    refusedSubscriptions.set(subscription, { until: elapsed() + grown(MINUTE, times, HOUR, random), times: times + 1 })
    // Those beyond say nothing more, and an origin that refuses us refuses us for everybody.
    if (origin.refusedFor.size < REFUSED) origin.refusedFor.add(subscription)
    // Those that were under way when it was left alone say nothing new.
    if (origin.refusedFor.size < REFUSED || origin.until > elapsed()) return
    origin.answers = false
    pause(origin, grown(5 * MINUTE, origin.refusals++, HOUR, random))
    refusing(name, true)
  }
  const taken = (name: string, origin: Origin, subscription: string) => {
    refusedSubscriptions.delete(subscription)
    if (origin.refusedFor.size >= REFUSED) {
      // It had been asked before it was left alone.
      origin.until = elapsed()
      refusing(name, false)
    }
    origin.refusedFor.clear()
    origin.refusals = 0
  }

  return {
    /**
     * Asks for a slot. `wait`: not now, come back after so many ms; where it is only `crowded`, ever later, for nobody knows when it ends. Otherwise `leave` must be told what the service made of it, undefined if it did not
     * come to that.
     * @param subscription its id
     */
    enter: (
      name: string,
      subscription: string,
    ):
      | { readonly wait: number; readonly why: string; readonly crowded: boolean }
      | { readonly leave: (v: Verdict | undefined) => void } => {
      const origin = originOf(name)
      const left = origin.until - elapsed()
      if (left > 0) return { wait: left, why: `${name} is left alone for a while`, crowded: false }
      const own = (refusedSubscriptions.get(subscription)?.until ?? 0) - elapsed()
      if (own > 0) return { wait: own, why: `${name} refused this subscription lately`, crowded: false }
      if (origin.underWay.size >= most(origin)) return { wait: CROWDED_MS, why: `${name} leaves us waiting`, crowded: true }
      const one = serial++
      const since = elapsed()
      began.set(one, since)
      origin.underWay.add(one)
      return {
        leave: verdict => {
          began.delete(one)
          origin.underWay.delete(one)
          if (verdict === undefined) return
          if (verdict.kind === 'refused') return refused(name, origin, subscription)
          if (verdict.kind === 'busy' || verdict.kind === 'failed') {
            origin.answers = false
            origin.hangs = elapsed() - since > SLOW_MS
            if (origin.failures === 0) origin.failingSince = since
            // Those that failed together failed once.
            if (since >= origin.failedAt) origin.failures += 1
            origin.failedAt = elapsed()
            if (verdict.kind === 'busy') pause(origin, Math.min(verdict.afterMs ?? grown(SECOND, 0, SECOND, random), HOUR))
            const failing = elapsed() - origin.failingSince
            // Half as long again as it has been: at last as rarely as once a minute.
            if (origin.failures >= PATIENT.failures && failing >= PATIENT.ms) pause(origin, grown(failing / 2, 0, MINUTE, random))
            return
          }
          origin.answers = true
          origin.failures = 0
          if (verdict.kind === 'taken') taken(name, origin, subscription)
        },
      }
    },
  }
}
