import type { Envelope, EventEnvelope } from '../../../contracts/declare/envelope.ts'
import { type AnyEvent, groupOf } from '../../../contracts/declare/messages.ts'
import { commandQueue, eventQueue } from '../../../contracts/derive/topology.ts'
import { reader } from '../authoring/reader.ts'
import { stopwatch, type Timed } from '../ports/clock/stopwatch.ts'
import { commandMessage } from '../ports/mailbox/command-message.ts'
import { commandId } from '../ports/mailbox/ids.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { isSampled, withEngineCalls } from '../ports/tracing/span.ts'
import { isOurFault } from '../process/our-fault.ts'
import { deadLetter } from './dead-letters.ts'
import type { Host, HostContext } from './host.ts'
import { readEvent } from './inbox.ts'
import { patience } from './visibility.ts'

const POISON_RECEIVES = 5

export type HeldEvent = { readonly event: EventEnvelope; readonly delivery: Delivery }

/** What a host of the events that an actor hears does with them once it has them: reads them, does what the hearings say, acknowledges, buries. */
export const eventSettling = ({ mesh, code, ports, log, metrics }: HostContext, { hold, engines }: Pick<Host, 'hold' | 'engines'>) => {
  const { mailbox, backplane, jobs, clock } = ports
  const actor = code.declaration
  const queue = eventQueue(actor.name)
  const known = new Map(
    actor.subscribes.flatMap(type => (mesh.events.has(type) ? [[type, mesh.events.get(type)?.event as AnyEvent] as const] : [])),
  )
  const context = { read: reader(ports.store), backplane, jobs, clock }

  const send = async (event: EventEnvelope, commands: readonly { readonly type: string; readonly data: unknown }[]) => {
    for (const [k, { type, data }] of commands.entries()) {
      const command = actor.commands[type]
      if (!command) throw new TypeError(`${actor.name} sends itself ${type}, which it does not know`)
      const id = commandId(k === 0 ? event.id : `${event.id}~${k}`)
      const message = { id, by: event.by, at: event.at, data: command.data.parse(data) }
      const envelope: Envelope = { v: 1, ...message, type, key: groupOf(command, message), trace: { ...event.trace, cause: spanId(event) } }
      await mailbox.send(commandQueue(actor.name), commandMessage(envelope))
      metrics.sent.inc({ actor: actor.name, type })
    }
  }
  const spanId = (event: EventEnvelope) => `${event.id}@${actor.name}`
  const hear = async (event: EventEnvelope) => {
    const handler = code.handlers[event.type]
    if (!handler) throw new TypeError(`${actor.name} subscribes to ${event.type} and does nothing about it`)
    if ('toCommands' in handler) await send(event, handler.toCommands(event))
    else await handler.effect(event, context)
  }
  const trace = (event: EventEnvelope, { at, ms }: Timed, engine: { kind: string; ms: number }[]) => {
    if (!isSampled(event.trace.traceparent)) return
    backplane
      .trace({
        request: event.trace.request,
        id: spanId(event),
        cause: event.trace.cause,
        actor: actor.name,
        what: `hears ${event.type}`,
        at,
        ms,
        engine,
        outcome: 'done',
      })
      .catch(err => log.debug({ err }, 'a span was lost'))
  }
  const countRedriven = ({ attributes }: Delivery) => {
    if (attributes.redriven === 'true') metrics.redriven.inc({ queue })
  }
  const bury = async (delivery: Delivery, kind: string, reason: string) => {
    try {
      await deadLetter(mailbox, queue, delivery, reason)
      hold.drop(delivery)
      metrics.dead.inc({ queue, reason: kind })
      countRedriven(delivery)
      log.error({ queue, event: delivery.id, reason }, 'an event became a dead letter')
    } catch (error) {
      if (!isOurFault(error)) engines.failed(error)
      await hold.release(delivery, patience(delivery.receives))
    }
  }

  return {
    /** The events of a receive by key. What cannot be read goes to the dead letters. */
    sort: async (deliveries: readonly Delivery[]): Promise<ReadonlyMap<string, readonly HeldEvent[]>> => {
      const byKey = new Map<string, HeldEvent[]>()
      for (const delivery of deliveries) {
        metrics.lag.observe({ queue }, Math.max(0, clock.now() - delivery.sentAt) / 1000)
        try {
          const event = readEvent(known, delivery)
          byKey.set(event.key, [...(byKey.get(event.key) ?? []), { event, delivery }])
        } catch (err) {
          // Whatever reading throws it will throw again.
          await bury(delivery, 'unreadable', err instanceof Error ? err.message : String(err))
        }
      }
      return byKey
    },
    /** Handles events one after another; never throws. One that fails is released and keeps none of the others: event queues have no order. */
    run: async (_key: string, batch: readonly HeldEvent[]): Promise<void> => {
      for (const { event, delivery } of batch) {
        try {
          const timed = stopwatch(clock)
          const { engine } = await withEngineCalls(() => hear(event))
          engines.ok()
          trace(event, timed(), engine)
          metrics.heard.inc({ actor: actor.name, type: event.type })
          countRedriven(delivery)
          hold.drop(delivery)
          await delivery.ack()
        } catch (err) {
          if (isOurFault(err) && delivery.receives >= POISON_RECEIVES) {
            await bury(delivery, 'hearing-failed', `${event.type} ${event.id}: ${String(err)}`)
            continue
          }
          if (!isOurFault(err)) engines.failed(err)
          log.warn({ err, queue, event: event.id }, 'an event could not be handled; it comes back')
          await hold.release(delivery, patience(delivery.receives))
        }
      }
    },
  }
}
