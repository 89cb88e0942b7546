import type { Reach } from './failpoints.ts'
import { gate } from './gate.ts'
import { holding } from './holding.ts'
import { recent } from './host.ts'
import { schedule } from './schedule.ts'
import { commandSettling, type Held } from './settle.ts'
import type { QueueHealth, WorkerContext } from './worker.ts'

/** Seconds that a received command stays hidden; the heartbeat renews it. */
const VISIBILITY = 10
const MOST_PER_TURN = 10

/** Takes an actor's commands from its mailbox, one turn a key at a time, and settles them. */
export const commandConsumer = (context: WorkerContext, reach: Reach) => {
  const { code, ports, config, log, metrics } = context
  const { mailbox, clock } = ports
  const queue = `${code.declaration.name}.fifo`
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
  const settling = commandSettling(context, { hold, engines, over: () => closed, published: recent() }, reach)
  const keys = schedule<Held>(config.CONCURRENCY, MOST_PER_TURN, settling.run, held => metrics.held.set({ queue }, held))

  const consumer = mailbox.consume(
    queue,
    { pollers: config.POLLERS, visibility: VISIBILITY, ready: async () => void (await Promise.all([engines.open(), keys.room()])) },
    async deliveries => {
      await reach('after-receive')
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
    close: () => {
      closed = true
      hold.stop()
    },
  }
}
