import { Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { backOffMs, spreadMs } from '../clock/back-off.ts'
import type { Clock } from '../clock/port.ts'
import { errorMessage } from '../errors/error-message.ts'

export type BackplaneLog = Pick<Logger, 'info' | 'warn' | 'error'>
export type ConnectionContext = { readonly url: string; readonly clock: Clock; readonly log: BackplaneLog | undefined }

const PING_MS = 2_500
/** Unanswered pings in a row: one may be late on a busy machine, and a connection that is made anew costs every device a resume. */
const MOST_UNANSWERED = 2
const CLOSED = 'the connection was closed'
const RECONNECT_BACK_OFF = { firstMs: 100, maxMs: 2_000 }
const OPTIONS = {
  // Both this project's embedded engine and every managed Redis speak it.
  protocol: 2,
  lazyConnect: true,
  // While Redis is away every call fails at once, those under way too: callers have other ways, and nothing piles up.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  commandTimeout: 1_000,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => spreadMs(backOffMs(times, RECONNECT_BACK_OFF), Math.random),
  enableAutoPipelining: true,
} as const satisfies RedisOptions

/** The server without the password that its address may hold. */
const place = (url: string): string => {
  const { hostname, port, pathname } = new URL(url)
  return hostname === '' ? pathname : `${hostname}:${port || 6379}`
}

/**
 * A connection that comes back by itself.
 * @param onReady called each time the connection stands, with when it was last known to (epoch ms), at first with when it was asked for;
 * what it rejects breaks the connection, to be tried anew
 */
export const redisConnection = (
  { url, clock, log }: ConnectionContext,
  name: string,
  onReady: (redis: Redis, stoodAt: number) => Promise<void>,
) => {
  const redis = new Redis(url, OPTIONS)
  const where = `Redis at ${place(url)}`
  let error: string | null = 'not connected yet'
  let told = false
  let stoodAt = clock.now()
  let unanswered = 0

  let standing: Promise<void> | undefined

  const broken = (cause: unknown) => {
    error = errorMessage(cause)
    if (!told) log?.warn({ err: cause }, `${where} (${name}) cannot be reached; trying on`)
    told = true
  }
  // Without a listener ioredis writes to the console.
  redis.on('error', broken)
  redis.on('close', () => {
    error ??= CLOSED
  })
  const again = (cause: unknown) => {
    if (redis.status !== 'ready') return
    broken(cause)
    redis.disconnect(true)
  }
  const stand = async () => {
    try {
      await onReady(redis, stoodAt)
      stoodAt = clock.now()
      unanswered = 0
      if (told) log?.info(`${where} (${name}) is back`)
      told = false
      error = null
    } catch (cause) {
      again(cause)
    }
  }
  redis.on('ready', () => {
    standing = stand()
  })
  // Finds out about a server that hangs and a connection that is gone without a word; a subscriber sends nothing by itself.
  const pinging = clock.every(PING_MS, () => {
    if (redis.status !== 'ready') return
    const asked = clock.now()
    redis.ping().then(
      () => {
        stoodAt = asked
        unanswered = 0
      },
      (cause: unknown) => {
        unanswered++
        if (unanswered >= MOST_UNANSWERED) again(cause)
      },
    )
  })

  return {
    redis,
    /** Resolves once the first try is over, however it went. */
    start: async () => {
      await redis.connect().catch(cause => {
        // What was wrong has been told by then, in better words than `Connection is closed.`.
        if (!told) broken(cause)
      })
      await standing
    },
    /** Makes the connection anew, where it stands and yet something went wrong on it. */
    again,
    /** Why it does not stand, or null. */
    // The status is ahead of its events.
    error: () => (error === null && redis.status === 'ready' ? null : `${where} (${name}): ${error ?? CLOSED}`),
    /** @throws at once while the connection does not stand */
    run: async <T>(what: string, run: (redis: Redis) => Promise<T>): Promise<T> => {
      if (redis.status !== 'ready') throw new Error(`${what}: ${where} is not connected (${error ?? redis.status})`)
      try {
        return await run(redis)
      } catch (cause) {
        throw new Error(`${what}: ${where}: ${errorMessage(cause)}`, { cause })
      }
    },
    close: () => {
      pinging.stop()
      redis.disconnect()
    },
  }
}
export type RedisConnection = ReturnType<typeof redisConnection>

/** Why a Redis must not be used, or null. One that evicts would drop replies and presence whenever its memory is full, unnoticed. */
export const evicting = async (redis: Redis, log: BackplaneLog | undefined): Promise<string | null> => {
  let policy: string | undefined
  try {
    const answer: unknown = await redis.config('GET', 'maxmemory-policy')
    policy = Array.isArray(answer) ? String(answer[1]) : undefined
  } catch (err) {
    // Many managed ones forbid the question. A broken connection is told elsewhere.
    if (err instanceof Error && err.name === 'ReplyError')
      log?.warn({ err }, 'Redis does not tell its maxmemory-policy: make sure that it is noeviction')
    return null
  }
  return policy === undefined || policy === 'noeviction' ? null : `its maxmemory-policy is ${policy}: it must be noeviction`
}

/** Most items of one caller in one pipeline: a long list of friends must not hold up everybody's replies. */
const CHUNK = 500
/** Runs `each` for all items, so many at a time. */
export const inChunks = async <T>(items: readonly T[], each: (item: T) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < items.length; at += CHUNK) await Promise.all(items.slice(at, at + CHUNK).map(each))
}
