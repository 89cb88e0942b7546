import type { Redis } from 'ioredis'
import type { ConnectionContext, RedisConnection } from './redis-connection.ts'

/** How often a write is tried, so that a Redis that refuses them is known without any traffic. */
const PROBE_MS = 2_500
const PROBE_TTL_SECONDS = 60
/** How soon after one reconnection the next is tried, while the server at the other end is a replica. */
const RECONNECT_MS = 30_000

/** Full, a replica, unable to save, without its replicas, loading, or not for this user: what Redis answers to writes while it may answer reads. */
const REFUSAL = /^(OOM|READONLY|MISCONF|NOREPLICAS|LOADING|MASTERDOWN|NOPERM)\b/

/** Why Redis refused a write, or null: another fault, or a connection's. */
const refusalIn = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  return REFUSAL.test(error.message) ? error.message : refusalIn(error.cause)
}

/** Watches whether Redis takes writes. One that is full, or that became a replica, still answers pings and reads. @param key what the probe writes */
export const redisWrites = ({ clock, log }: ConnectionContext, commands: RedisConnection, key: string) => {
  let refused: string | null = null
  let reconnectedAt = Number.NEGATIVE_INFINITY

  const note = (error: unknown): void => {
    const refusal = refusalIn(error)
    if (refusal === null) return
    if (refused === null) log?.error({ err: error }, `Redis takes no writes: ${refusal}`)
    refused = refusal
    // After a failover the old primary is a replica, and its address leads to the new one.
    if (!refusal.startsWith('READONLY') || clock.elapsed() - reconnectedAt < RECONNECT_MS) return
    reconnectedAt = clock.elapsed()
    commands.again(error)
  }
  const probe = async (): Promise<void> => {
    if (commands.redis.status !== 'ready') return
    try {
      await commands.redis.set(key, '1', 'EX', PROBE_TTL_SECONDS)
      if (refused !== null) log?.info('Redis takes writes again')
      refused = null
    } catch (error) {
      note(error)
    }
  }
  const probing = clock.every(PROBE_MS, () => void probe())

  return {
    probe,
    /** Why it takes none, or null. */
    error: (): string | null => (refused === null ? null : `it takes no writes: ${refused}`),
    /** Runs a write. @throws as the connection does */
    run: async <T>(what: string, run: (redis: Redis) => Promise<T>): Promise<T> => {
      try {
        return await commands.run(what, run)
      } catch (error) {
        note(error)
        throw error
      }
    },
    close: () => probing.stop(),
  }
}
export type RedisWrites = ReturnType<typeof redisWrites>
