import type { AnyEvent } from '../../contracts/actor.ts'
import type { Envelope, EventEnvelope } from '../../contracts/envelope.ts'
import { actors, groupOf } from '../../contracts/mesh.ts'
import type { Act, Tell } from './code.ts'
import { deadLetter } from './dead-letters.ts'
import { gate } from './gate.ts'
import { holding, patience } from './holding.ts'
import type { Delivery } from './mailbox/port.ts'
import { reader } from './reader.ts'
import { readEvent, Unreadable } from './receive.ts'
import { schedule } from './schedule.ts'
import { isSampled, withEngineCalls } from './span.ts'
import type { QueueHealth, WorkerContext } from './worker.ts'

const VISIBILITY = 30
const POISON_RECEIVES = 5
const MOST_PER_RUN = 10

type Held = { readonly event: EventEnvelope; readonly delivery: Delivery }

const declared: ReadonlyMap<string, AnyEvent> = new Map(actors.flatMap(a => Object.entries(a.events)))
/** A fault of the code rather than of an engine: trying again will not help. */
const isBug = (error: unknown) =>
  error instanceof TypeError || error instanceof RangeError || (error instanceof Error && error.name === 'ZodError')

/** Takes the events that an actor hears, and does what its hearings say. The queue may repeat and reorder; events of one key are taken one after another here. */
export const eventConsumer = ({ code, ports, config, log, metrics }: WorkerContext) => {
  const { mailbox, backplane, jobs, clock } = ports
  const actor = code.declaration
  const queue = `${actor.name}-events`
  const heard = new Map(actor.hears.flatMap(type => (declared.has(type) ? [[type, declared.get(type) as AnyEvent]] : [])))
  const hold = holding(clock, VISIBILITY, err => log.debug({ err, queue }, 'an event could not be kept hidden'))
  const engines = gate(clock, (paused, err) => {
    metrics.paused.set({ queue }, paused ? 1 : 0)
    if (paused) log.warn({ err, queue }, 'an engine fails: polling slows down')
    else log.info({ queue }, 'engines answer again')
  })
  const context = { read: reader(ports.store), backplane, jobs, clock }

  const tell = async (event: EventEnvelope, commands: ReturnType<Tell>) => {
    for (const [k, { type, data }] of commands.entries()) {
      const command = actor.commands[type]
      if (!command) throw new TypeError(`${actor.name} tells itself ${type}, which it does not know`)
      const id = k === 0 ? event.id : `${event.id}~${k}`
      const message = { id, by: event.by, at: event.at, data: command.data.parse(data) }
      const envelope: Envelope = { v: 1, ...message, type, key: groupOf(command, message), trace: { ...event.trace, cause: spanId(event) } }
      await mailbox.send(`${actor.name}.fifo`, { id, group: envelope.key, body: JSON.stringify(envelope) })
      metrics.sent.inc({ actor: actor.name, type })
    }
  }
  const spanId = (event: EventEnvelope) => `${event.id}@${actor.name}`
  const hear = async (event: EventEnvelope) => {
    const hearing = code.hearings[event.type]
    if (!hearing) throw new TypeError(`${actor.name} hears ${event.type} and does nothing about it`)
    if ('tell' in hearing) await tell(event, (hearing.tell as unknown as Tell)(event))
    else await (hearing.act as unknown as Act)(event, context)
  }
  const trace = (event: EventEnvelope, at: number, engine: { kind: string; ms: number }[]) => {
    if (!isSampled(event.trace.traceparent)) return
    backplane
      .trace({
        request: event.trace.request,
        id: spanId(event),
        cause: event.trace.cause,
        actor: actor.name,
        what: `hears ${event.type}`,
        at,
        ms: clock.now() - at,
        engine,
        outcome: 'done',
      })
      .catch(err => log.debug({ err }, 'a span was lost'))
  }
  const bury = async (delivery: Delivery, kind: string, reason: string) => {
    hold.drop(delivery)
    metrics.dead.inc({ queue, reason: kind })
    log.error({ queue, event: delivery.id, reason }, 'an event became a dead letter')
    await deadLetter(mailbox, queue, delivery, reason).catch(error => engines.failed(error))
  }
  const run = async (_key: string, batch: readonly Held[]) => {
    for (const { event, delivery } of batch) {
      try {
        const at = clock.now()
        const { engine } = await withEngineCalls(() => hear(event))
        engines.ok()
        trace(event, at, engine)
        metrics.heard.inc({ actor: actor.name, type: event.type })
        hold.drop(delivery)
        await delivery.ack()
      } catch (err) {
        if (isBug(err) && delivery.receives >= POISON_RECEIVES) {
          await bury(delivery, 'hearing-failed', `${event.type} ${event.id}: ${String(err)}`)
          continue
        }
        if (!isBug(err)) engines.failed(err)
        log.warn({ err, queue, event: event.id }, 'an event could not be handled; it comes back')
        await hold.release(delivery, patience(delivery.receives))
      }
    }
  }
  const keys = schedule<Held>(config.CONCURRENCY, MOST_PER_RUN, run)
  const consumer = mailbox.consume(
    queue,
    { pollers: config.POLLERS, visibility: VISIBILITY, ready: async () => void (await Promise.all([engines.open(), keys.room()])) },
    async deliveries => {
      for (const delivery of deliveries) {
        hold.add(delivery)
        metrics.lag.observe({ queue }, Math.max(0, clock.now() - delivery.sentAt) / 1000)
        try {
          const event = readEvent(heard, delivery)
          keys.add(event.key, [{ event, delivery }])
        } catch (err) {
          if (!(err instanceof Unreadable)) throw err
          await bury(delivery, 'unreadable', err.message)
        }
      }
      metrics.held.set({ queue }, keys.held())
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
