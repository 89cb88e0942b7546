import { gate } from './breaker.ts'
import { schedule } from './by-key.ts'
import type { Host, QueueHealth, Settling, WorkerContext } from './host.ts'
import { holding } from './visibility.ts'

/** Seconds that a received message stays hidden, kept up by the heartbeat: what a killed worker held is somebody else's soon. */
const VISIBILITY = 10
/** Messages of one key that are settled together. */
const MOST_PER_RUN = 10

/**
 * Takes messages from a queue of an actor and has them settled: those of one key one after another, so many keys at once, none while an engine fails.
 * @param open called once, with what settling needs of its host
 * @param received called with each receive, before anything is done about it
 */
export const consume = <T>(
  { ports: { mailbox, clock }, config, log, metrics }: WorkerContext,
  queue: string,
  open: (host: Pick<Host, 'hold' | 'engines' | 'over'>) => Settling<T>,
  received: () => Promise<void> = async () => {},
) => {
  let closed = false
  const hold = holding(
    clock,
    VISIBILITY,
    err => log.debug({ err, queue }, 'a message could not be kept hidden'),
    ms => metrics.heldSeconds.set({ queue }, ms / 1000),
  )
  const engines = gate(clock, (paused, err) => {
    metrics.paused.set({ queue }, paused ? 1 : 0)
    if (paused) log.warn({ err, queue }, 'an engine fails: polling pauses')
    else log.info({ queue }, 'polling goes on')
  })
  const { sort, run } = open({ hold, engines, over: () => closed })
  const keys = schedule<T>(config.CONCURRENCY, MOST_PER_RUN, run, held => metrics.held.set({ queue }, held))

  const consumer = mailbox.consume(
    queue,
    { pollers: config.POLLERS, visibility: VISIBILITY, ready: async () => void (await Promise.all([engines.open(), keys.room()])) },
    async deliveries => {
      await received()
      for (const delivery of deliveries) hold.add(delivery)
      for (const [key, held] of await sort(deliveries)) keys.add(key, held)
    },
  )

  return {
    health: (): QueueHealth => {
      const { ok, error } = consumer.health()
      return { queue, ok: ok && engines.error() === null, error: error ?? engines.error(), held: keys.held() }
    },
    drain: async () => {
      await consumer.stop()
      await keys.idle()
    },
    close: () => {
      closed = true
      hold.stop()
    },
  }
}
