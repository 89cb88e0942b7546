import { LRUCache } from 'lru-cache'
import type { Config } from '../../actors/kernel/config/config.ts'
import { edgeProblem } from '../request/problems.ts'
import type { Address } from './address.ts'

/** What a request drew from a budget: the headers that every answer carries, and whether it was too much. */
export type Drawn = { readonly policy: string; readonly limit: string; readonly retryAfter: number }
export type Budget = {
  /** Takes what it costs, by default one. @param now as the clock’s `elapsed` */
  readonly draw: (key: string, now: number, cost?: number) => Drawn
  /** Looks without taking. */
  readonly peek: (key: string, now: number) => Drawn
}

type Bucket = { tokens: number; at: number }
/** When nothing ever comes back into a bucket, an hour is as good an answer as any. */
const NEVER_S = 3600

/**
 * Token buckets: `burst` at first, `rate` a second. Memory is bounded: beyond `most` keys the longest unused bucket is forgotten, that is, full again.
 * The headers are those of draft-ietf-httpapi-ratelimit-headers: the policy's window is the time in which an empty bucket fills.
 */
export const budget = (name: string, rate: number, burst: number, most: number): Budget => {
  const buckets = new LRUCache<string, Bucket>({ max: most })
  const fills = (tokens: number) => (rate > 0 ? Math.ceil(tokens / rate) : NEVER_S)
  const policy = `"${name}";q=${burst};w=${Math.max(1, fills(burst))}`
  const take = (key: string, now: number, cost: number): Drawn => {
    let bucket = buckets.get(key)
    if (bucket) {
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * rate) / 1000)
      bucket.at = now
    } else if (cost > 0) {
      bucket = { tokens: burst, at: now }
      buckets.set(key, bucket)
    }
    const tokens = bucket?.tokens ?? burst
    const refused = tokens < Math.max(1, cost)
    if (bucket && !refused) bucket.tokens -= cost
    const left = refused ? tokens : tokens - cost
    return {
      policy,
      limit: `"${name}";r=${Math.floor(left)};t=${fills(burst - left)}`,
      retryAfter: refused ? Math.max(1, fills(Math.max(1, cost) - tokens)) : 0,
    }
  }
  return { draw: (key, now, cost = 1) => take(key, now, cost), peek: (key, now) => take(key, now, 0) }
}

/** @throws EdgeProblem `rate-limited` when the draw was too much */
export const within = (drawn: Drawn): Drawn => {
  if (drawn.retryAfter === 0) return drawn
  throw edgeProblem('rate-limited', `the budget ${drawn.policy} is used up; try again in ${drawn.retryAfter} s`, {
    'retry-after': String(drawn.retryAfter),
  })
}

export type LimitConfig = Pick<Config, 'READS_PER_SECOND' | 'READS_BURST' | 'WRITES_PER_SECOND' | 'WRITES_BURST' | 'EMBEDDED'>

export const ADDRESS_FACTOR = 10
const MAX_USERS = 20_000
const MAX_ADDRESSES = 20_000
const MAX_SOCKETS = 100_000
/** Pings and pongs of a socket: a client needs one each way a heartbeat, and may look after its own connection every second. */
export const CONTROL_FRAMES = { perSecond: 10, burst: 100 } as const
/**
 * How often a socket may be refused for want of budget before it is closed: what it sent before it can have read the refusal is no reason to, what it sends
 * after that counts ten times.
 */
const REFUSALS = { perSecond: 10, burst: 1_000 } as const

/**
 * The budgets of one edge: a user's, an address's (ten times that), and for what comes without a valid token an address's of a user's size.
 * With embedded engines loopback has all the addresses' budgets it wants.
 */
export const limits = (config: LimitConfig) => {
  const { READS_PER_SECOND: reads, READS_BURST: readBurst, WRITES_PER_SECOND: writes, WRITES_BURST: writeBurst } = config
  const pair = (prefix: string, factor: number, most: number) => ({
    reads: budget(`${prefix}reads`, reads * factor, readBurst * factor, most),
    writes: budget(`${prefix}writes`, writes * factor, writeBurst * factor, most),
  })
  return {
    users: pair('', 1, MAX_USERS),
    addresses: pair('address-', ADDRESS_FACTOR, MAX_ADDRESSES),
    anonymous: budget('anonymous', reads, readBurst, MAX_ADDRESSES),
    /** By socket, not by user: one that goes wild is no reason to close the others. */
    controlFrames: budget('control-frames', CONTROL_FRAMES.perSecond, CONTROL_FRAMES.burst, MAX_SOCKETS),
    refusals: budget('refusals', REFUSALS.perSecond, REFUSALS.burst, MAX_SOCKETS),
    exempt: (address: Address) => config.EMBEDDED && address.loopback,
  }
}
export type Limits = ReturnType<typeof limits>
