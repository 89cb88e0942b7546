import { circuitBreaker } from './breaker.ts'
import { keyedQueue } from './by-key.ts'
import type { Host, MessageHandler, QueueHealth, WorkerContext } from './host.ts'
import { visibilityHeartbeat } from './visibility.ts'

/** A received message stays hidden so long, and the heartbeat prolongs it: what a killed worker held is somebody else's soon. */
const VISIBILITY_S = 10
/** Messages of one key that are handled together. */
const MAX_PER_TURN = 10

/**
 * Takes messages from a queue of an actor and has them handled: those of one key one after another, `CONCURRENCY` keys at once, none while an engine fails.
 * @param open called once, with what the handler needs of its host
 * @param received called with each receive, before anything is done about it
 */
export const consume = <T>(
  { ports: { mailbox, clock }, config, log, metrics }: WorkerContext,
  queue: string,
  open: (host: Pick<Host, 'visibility' | 'breaker' | 'over'>) => MessageHandler<T>,
  received: () => Promise<void> = async () => {},
) => {
  let closed = false
  const visibility = visibilityHeartbeat(
    clock,
    VISIBILITY_S,
    err => log.debug({ err, queue }, 'a message could not be kept hidden'),
    ms => metrics.heldSeconds.set({ queue }, ms / 1000),
  )
  const breaker = circuitBreaker(clock, (paused, err) => {
    metrics.paused.set({ queue }, paused ? 1 : 0)
    if (paused) log.warn({ err, queue }, 'an engine fails: polling pauses')
    else log.info({ queue }, 'polling goes on')
  })
  const { read, handle } = open({ visibility, breaker, over: () => closed })
  const keys = keyedQueue<T>(config.CONCURRENCY, MAX_PER_TURN, handle, held => metrics.held.set({ queue }, held))

  const consumer = mailbox.consume(
    queue,
    { pollers: config.POLLERS, visibility: VISIBILITY_S, ready: async () => void (await Promise.all([breaker.open(), keys.room()])) },
    async deliveries => {
      await received()
      for (const delivery of deliveries) visibility.keepInvisible(delivery)
      for (const [key, messages] of await read(deliveries)) keys.add(key, messages)
    },
  )

  return {
    health: (): QueueHealth => {
      const { ok, error } = consumer.health()
      return { queue, ok: ok && breaker.error() === null, error: error ?? breaker.error(), held: keys.held() }
    },
    drain: async () => {
      await consumer.stop()
      await keys.idle()
    },
    close: () => {
      closed = true
      visibility.stop()
    },
  }
}
