import { LRUCache } from 'lru-cache'

const MAX_NAMES = 10_000

export type Attempts = {
  /** Whether `name` has used up what it may try. */
  isExhausted(name: string): boolean
  count(name: string): void
  /** How often it was tried within the window. */
  within(name: string): number
  forget(name: string): void
}

/**
 * Counts what people try, by their names, known here or not: whether an account exists is not to be learnt by trying either.
 * In memory, and bounded: a restart forgets it.
 * @param now epoch ms
 */
export function countAttempts({ max, windowMs }: { max: number; windowMs: number }, now: () => number): Attempts {
  const times = new LRUCache<string, readonly number[]>({ max: MAX_NAMES })
  const recent = (name: string): readonly number[] => (times.get(name) ?? []).filter(time => time > now() - windowMs)
  return {
    isExhausted: name => recent(name).length >= max,
    count: name => void times.set(name, [...recent(name), now()].slice(-max)),
    within: name => recent(name).length,
    forget: name => void times.delete(name),
  }
}

const FREE_MISSES = 5
const FIRST_LOCK_MS = 1_000
const MAX_LOCK_MS = 15 * 60_000

export type LockOut = Pick<Attempts, 'count' | 'forget'> & { isLocked(name: string): boolean }

/** As Cognito locks people out: after five wrong passwords for a second, after each further one twice as long, up to a quarter of an hour. */
export function lockOut(now: () => number): LockOut {
  const misses = new LRUCache<string, { readonly count: number; readonly until: number }>({ max: MAX_NAMES })
  return {
    isLocked: name => now() < (misses.get(name)?.until ?? 0),
    count(name) {
      const count = (misses.get(name)?.count ?? 0) + 1
      const lock = count < FREE_MISSES ? 0 : Math.min(FIRST_LOCK_MS * 2 ** (count - FREE_MISSES), MAX_LOCK_MS)
      misses.set(name, { count, until: now() + lock })
    },
    forget: name => void misses.delete(name),
  }
}
