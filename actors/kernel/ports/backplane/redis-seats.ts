import { REFRESH_MS } from './limits.ts'
import type { Backplane, EdgeListener } from './port.ts'
import { type ConnectionContext, inChunks, type RedisConnection, redisConnection } from './redis-connection.ts'
import type { RedisWrites } from './redis-writes.ts'
import { hearWord } from './wire.ts'

type Keys = { readonly edge: (edge: string) => string; readonly here: (user: string) => string }
type SeatsContext = ConnectionContext & {
  readonly key: Keys
  readonly commands: RedisConnection
  readonly writes: Pick<RedisWrites, 'run'>
  /** Seconds that a presence counts when it is not renewed. */
  readonly ttl: number
}
type Seat = { readonly listener: EdgeListener; readonly announce: (since: number) => Promise<void>; readonly end: () => void }

/** How often it is looked whether the wall clock was set, and what is none: readings differ by a millisecond. */
const LOOK_MS = 1_000
const STEP_MS = 500
/** Until those are told again of whom Redis, though it stands, did not take it. */
const AGAIN_MS = 1_000

/** The edges of this process: what they hear, and who is present at them. Only a process with an edge opens the second connection, which subscribes. */
export const redisSeats = (context: SeatsContext) => {
  const { key, commands, writes, clock, log, ttl } = context
  const seats = new Map<string, Seat>()
  let subscriber: RedisConnection | undefined

  const hear = (channel: string, text: string) => {
    const seat = seats.get(channel)
    if (!seat) return
    try {
      hearWord(text, seat.listener)
    } catch (err) {
      // Thrown on, it would end the process.
      log?.error({ err, channel }, 'what came over the backplane could not be heard')
    }
  }
  const missed = ({ listener }: Seat, since: number, users?: readonly string[]) => {
    try {
      listener.missed?.(since, users)
    } catch (err) {
      log?.error({ err }, 'an edge could not be told that it missed something')
    }
  }
  const open = (): RedisConnection => {
    const connection = redisConnection(context, 'subscriptions', async (redis, stoodAt) => {
      if (seats.size === 0) return
      await redis.subscribe(...seats.keys())
      for (const seat of seats.values()) missed(seat, stoodAt)
    })
    connection.redis.on('message', hear)
    return connection
  }

  const join: Backplane['join'] = async (edge, listener) => {
    const channel = key.edge(edge)
    const users = new Set<string>()
    const arrive = (user: string) =>
      writes.run('a presence cannot be told', async redis => {
        const at = key.here(user)
        await Promise.all([redis.hset(at, edge, clock.now() + ttl * 1000), redis.expire(at, ttl)])
      })
    const go = (user: string) => commands.run('an absence cannot be told', redis => redis.hdel(key.here(user), edge))
    const ended = new AbortController()
    /** Those whom Redis has not taken yet, and since when (epoch ms) workers may have found each of them absent. */
    const unknown = new Map<string, number>()
    let announcing = false
    const learn = (user: string, since: number) => unknown.set(user, Math.min(unknown.get(user) ?? since, since))
    const announce = async (them: Iterable<string>, since: number) => {
      for (const user of them) learn(user, since)
      if (announcing) return
      announcing = true
      const known = new Map<string, number>()
      for (let tries = 1; unknown.size > 0; tries++) {
        try {
          await inChunks([...unknown], async ([user, from]) => {
            unknown.delete(user)
            if (!users.has(user)) return
            try {
              await arrive(user)
              known.set(user, Math.min(from, known.get(user) ?? from))
            } catch (err) {
              learn(user, from)
              throw err
            }
          })
        } catch (err) {
          if (tries === 1) log?.warn({ err, edge }, 'it cannot be told who is at an edge; trying on')
          await clock.sleep(AGAIN_MS, ended.signal).catch(() => {})
        }
        if (ended.signal.aborted) return
      }
      announcing = false
      // Not before all are known: who caught up and is still unknown would miss what comes next, and nobody would say so.
      const from = [...known.values()].reduce((x, y) => Math.min(x, y), Number.POSITIVE_INFINITY)
      if (from <= clock.now()) missed(seat, from, [...known.keys()])
    }
    /** When the last round of all those who are here began that Redis took; and whether they were told that they are forgotten since. */
    let refreshedAt = clock.now()
    let lapsed = false
    const refresh = async () => {
      const began = clock.now()
      try {
        await inChunks([...users], user => (users.has(user) ? arrive(user) : Promise.resolve()))
        refreshedAt = began
        lapsed = false
      } catch {
        const forgotten = refreshedAt + ttl * 1000
        if (began >= forgotten && !lapsed) {
          lapsed = true
          missed(seat, forgotten, [...users])
        }
        // Where the connection stands, nobody would tell again before the next round. Nothing is missed if it is told in time.
        if (commands.error() === null) void announce(users, forgotten)
      }
    }
    const refreshing = clock.every(REFRESH_MS, () => void refresh())
    // Until when somebody is here is told in wall time, which workers elsewhere read: after the clock was set forward it is over too soon.
    let looked = { wall: clock.now(), ahead: clock.now() - clock.elapsed() }
    const looking = clock.every(LOOK_MS, () => {
      const before = looked
      looked = { wall: clock.now(), ahead: clock.now() - clock.elapsed() }
      const forward = looked.ahead - before.ahead
      if (forward > ttl * 1000 - REFRESH_MS - 2 * LOOK_MS) void announce(users, before.wall)
      else if (forward > STEP_MS) void refresh()
    })
    const end = () => {
      refreshing.stop()
      looking.stop()
      ended.abort()
    }
    const seat: Seat = { listener, announce: since => announce(users, since), end }
    seats.get(channel)?.end()
    seats.set(channel, seat)

    // Where this fails the connection is made anew, and subscribes for all seats.
    if (subscriber) await subscriber.run('an edge is not heard yet', redis => redis.subscribe(channel)).catch(subscriber.again)
    else {
      subscriber = open()
      await subscriber.start()
    }
    return {
      present: async user => {
        users.add(user)
        const asked = clock.now()
        try {
          await arrive(user)
        } catch (err) {
          // Where it stands, nobody would tell again before the next round.
          if (commands.error() === null) void announce([user], asked)
          throw err
        }
      },
      absent: async user => {
        users.delete(user)
        await go(user)
      },
      leave: async () => {
        const gone = [...users]
        users.clear()
        seat.end()
        if (seats.get(channel) === seat) {
          seats.delete(channel)
          await subscriber?.run('an edge leaves', redis => redis.unsubscribe(channel)).catch(() => {})
        }
        // Else they are forgotten with the time.
        await inChunks(gone, go).catch(() => {})
      },
    }
  }

  return {
    join,
    /** Tells again who is present: Redis may have come back empty, and workers may have found nobody here since it last stood (epoch ms). */
    announce: (stoodAt: number) => {
      for (const seat of seats.values()) void seat.announce(stoodAt)
    },
    error: () => subscriber?.error() ?? null,
    close: () => {
      for (const seat of seats.values()) seat.end()
      seats.clear()
      subscriber?.close()
    },
  }
}
