import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'

/** How finely the end of a wait is kept; one timer serves all who wait. */
const EXPIRY_INTERVAL_MS = 50

type Waiter = { readonly since: number; readonly until: number; readonly done: (reply: Reply | undefined) => void }

/** Those who wait for replies, by the id of their message. */
export const replyWaiters = (clock: Clock) => {
  const waiting = new Map<string, Waiter[]>()
  let ticking = false
  let released = false

  const expire = (now: number) => {
    for (const [id, waiters] of waiting) {
      if (waiters.every(w => w.until > now)) continue
      const rest = waiters.filter(w => w.until > now)
      if (rest.length > 0) waiting.set(id, rest)
      else waiting.delete(id)
      for (const w of waiters) if (w.until <= now) w.done(undefined)
    }
  }
  /** A reply has come, or, without one, nobody needs to wait any more. @returns whether somebody did */
  const resolve = (id: string, reply?: Reply): boolean => {
    const waiters = waiting.get(id)
    if (!waiters) return false
    waiting.delete(id)
    for (const w of waiters) w.done(reply)
    return true
  }
  const tick = async () => {
    ticking = true
    while (waiting.size > 0) {
      await clock.sleep(EXPIRY_INTERVAL_MS)
      expire(clock.elapsed())
    }
    ticking = false
  }
  return {
    /** Resolves with the reply, or with nothing after `ms`; at once after `release`. */
    wait: (id: string, ms: number): Promise<Reply | undefined> =>
      new Promise(done => {
        if (released) return done(undefined)
        const since = clock.elapsed()
        const others = waiting.get(id)
        const waiter = { since, until: since + ms, done }
        if (others) others.push(waiter)
        else waiting.set(id, [waiter])
        if (!ticking) void tick()
      }),
    resolve,
    /** Nobody waits any longer, whoever comes: all go without their replies. */
    release: (): void => {
      released = true
      for (const id of [...waiting.keys()]) resolve(id)
    },
    /** Whether anybody waits for the reply to this message. */
    has: (id: string): boolean => waiting.has(id),
    /** Since when the one waits who has waited longest (as the clock’s `elapsed`). */
    since: (): number | undefined => {
      for (const waiters of waiting.values()) return waiters[0]?.since
      return undefined
    },
  }
}
export type ReplyWaiters = ReturnType<typeof replyWaiters>
