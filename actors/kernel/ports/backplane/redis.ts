import { Reply } from '../../../../contracts/declare/envelope.ts'
import type { Clock } from '../clock/port.ts'
import { systemClock } from '../clock/system.ts'
import type { Span } from '../tracing/span.ts'
import { MAX_SPANS, PRESENCE_SECONDS, REPLY_SECONDS, TRACE_SECONDS } from './limits.ts'
import type { Backplane } from './port.ts'
import { type BackplaneLog, evicting, inChunks, redisConnection } from './redis-connection.ts'
import { redisSeats } from './redis-seats.ts'
import { redisWrites } from './redis-writes.ts'
import { liveWord, replyWord } from './wire.ts'

export type RedisBackplaneOptions = {
  /** `redis://` or `rediss://`. */
  readonly url: string
  /** Before every key and channel, so that deployments can share a Redis. */
  readonly prefix?: string
  readonly clock?: Clock
  readonly log?: BackplaneLog
}

/**
 * A backplane on Redis. Commands of callers in one tick share a pipeline. A Redis that is away is no reason not to start: calls fail at once,
 * `health` says why, and edges are heard and present again as soon as it is there.
 * @throws when the Redis evicts
 */
export const redisBackplane = async ({ url, prefix = '', clock = systemClock, log }: RedisBackplaneOptions): Promise<Backplane> => {
  let refused: string | null = null
  const context = { url, clock, log }
  const commands = redisConnection(context, 'commands', async (redis, stoodAt) => {
    const why = await evicting(redis, log)
    if (why !== null && refused === null) log?.error(`the backplane's Redis is unfit: ${why}`)
    refused = why
    void writes.probe()
    seats.announce(stoodAt)
  })
  const key = {
    reply: (command: string) => `${prefix}reply:${command}`,
    edge: (edge: string) => `${prefix}edge:${edge}`,
    /** A hash: edge -> until (epoch ms). */
    here: (user: string) => `${prefix}here:${user}`,
    trace: (request: string) => `${prefix}trace:${request}`,
  }
  const writes = redisWrites(context, commands, `${prefix}probe`)
  const seats = redisSeats({ ...context, key, commands, writes, ttl: PRESENCE_SECONDS })
  await commands.start()
  if (refused !== null) {
    writes.close()
    commands.close()
    throw new Error(`The backplane cannot use its Redis: ${refused}`)
  }

  return {
    reply: (edge, command, reply, kept = false) =>
      writes.run(`the reply to ${command} cannot be told`, async redis => {
        const stays = kept ? undefined : redis.set(key.reply(command), JSON.stringify(reply), 'EX', REPLY_SECONDS)
        const [listeners] = await Promise.all([redis.publish(key.edge(edge), replyWord(command, reply, kept)), stays])
        return listeners > 0
      }),
    replyOf: command =>
      commands.run(`the reply to ${command} cannot be asked for`, async redis => {
        const text = await redis.get(key.reply(command))
        return text === null ? undefined : Reply.parse(JSON.parse(text))
      }),
    forgetReply: command =>
      commands.run(`the reply to ${command} cannot be forgotten`, async redis => {
        await redis.del(key.reply(command))
      }),
    join: seats.join,
    online: users =>
      commands.run('who is online cannot be asked', async redis => {
        const now = clock.now()
        const found = new Map<string, readonly string[]>()
        await inChunks([...new Set(users)], async user => {
          const here = await redis.hgetall(key.here(user))
          const edges = Object.keys(here).filter(edge => Number(here[edge]) > now)
          if (edges.length > 0) found.set(user, edges)
        })
        return found
      }),
    deliver: (edge, frames) =>
      commands.run(`${frames.length} frames cannot be delivered`, async redis => {
        if (frames.length > 0) await redis.publish(key.edge(edge), liveWord(frames))
      }),
    trace: span =>
      writes.run('a span cannot be kept', async redis => {
        const at = key.trace(span.request)
        // Whoever names the request may name it again and again: the list is bounded, and its life begins with its first span.
        const [, , left] = await Promise.all([redis.rpush(at, JSON.stringify(span)), redis.ltrim(at, 0, MAX_SPANS - 1), redis.ttl(at)])
        if (left < 0) await redis.expire(at, TRACE_SECONDS)
      }),
    spans: request =>
      commands.run('spans cannot be asked for', async redis => {
        const texts = await redis.lrange(key.trace(request), 0, -1)
        return texts.map(text => JSON.parse(text) as Span)
      }),
    health: () => {
      const away = commands.error() ?? seats.error()
      const error = away ?? refused ?? writes.error()
      return { ok: error === null, reachable: away === null, error }
    },
    close: async () => {
      seats.close()
      writes.close()
      commands.close()
    },
  }
}
