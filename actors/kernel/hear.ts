import { gate } from './gate.ts'
import { holding } from './holding.ts'
import { schedule } from './schedule.ts'
import { eventSettling, type HeldEvent } from './settle-events.ts'
import type { QueueHealth, WorkerContext } from './worker.ts'

/** Seconds, kept up by the heartbeat: what a killed worker held is heard soon, and within what positions of the stream look back. */
const VISIBILITY = 10
const MOST_PER_RUN = 10

/** Takes the events that an actor hears, and does what its hearings say. The queue may repeat and reorder; events of one key are taken one after another here. */
export const eventConsumer = (context: WorkerContext) => {
  const { code, ports, config, log, metrics } = context
  const { mailbox, clock } = ports
  const queue = `${code.declaration.name}-events`
  const hold = holding(
    clock,
    VISIBILITY,
    err => log.debug({ err, queue }, 'an event could not be kept hidden'),
    ms => metrics.heldSeconds.set({ queue }, ms / 1000),
  )
  const engines = gate(clock, (paused, err) => {
    metrics.paused.set({ queue }, paused ? 1 : 0)
    if (paused) log.warn({ err, queue }, 'an engine fails: polling pauses')
    else log.info({ queue }, 'polling goes on')
  })
  const settling = eventSettling(context, { hold, engines })
  const keys = schedule<HeldEvent>(config.CONCURRENCY, MOST_PER_RUN, settling.run, held => metrics.held.set({ queue }, held))
  const consumer = mailbox.consume(
    queue,
    { pollers: config.POLLERS, visibility: VISIBILITY, ready: async () => void (await Promise.all([engines.open(), keys.room()])) },
    async deliveries => {
      for (const delivery of deliveries) hold.add(delivery)
      for (const [key, held] of await settling.sort(deliveries)) keys.add(key, held)
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
    close: () => hold.stop(),
  }
}
