import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import type { AnyEvent } from '../../../contracts/declare/messages.ts'
import { eventQueue } from '../../../contracts/derive/topology.ts'
import { reader } from '../authoring/reader.ts'
import { stopwatch } from '../ports/clock/stopwatch.ts'
import { errorMessage } from '../ports/errors/error-message.ts'
import { commandId } from '../ports/mailbox/ids.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { withEngineCalls } from '../ports/tracing/span.ts'
import { isOurFault } from '../process/our-fault.ts'
import {
  countRedriven,
  type Death,
  discard,
  type HandlerContext,
  moveToDeadLetters,
  POISON_RECEIVES,
  readByKey,
  sendSpan,
} from './handling.ts'
import type { Host, HostContext, MessageHandler } from './host.ts'
import { readEvent } from './inbox.ts'
import { sendOwnCommand } from './own-commands.ts'
import { retryDelay } from './visibility.ts'
export type InFlightEvent = { readonly event: EventEnvelope; readonly delivery: Delivery }

/** What a host of the events that an actor subscribes to does with them once it has them: reads them, runs the actor's handlers, acknowledges. */
export const eventHandler = (
  host: HostContext,
  { visibility, breaker }: Pick<Host, 'visibility' | 'breaker'>,
): MessageHandler<InFlightEvent> => {
  const { mesh, code } = host
  const context: HandlerContext = { ...host, queue: eventQueue(code.declaration.name), host: { visibility, breaker } }
  const declared = new Map(
    code.declaration.subscribes.flatMap((type): readonly (readonly [string, AnyEvent])[] => {
      const event = mesh.events.get(type)?.event
      return event ? [[type, event]] : []
    }),
  )
  return {
    read: deliveries =>
      readByKey(
        context,
        deliveries,
        delivery => {
          const event = readEvent(declared, delivery)
          return { key: event.key, message: { event, delivery } }
        },
        (delivery, error) => discardEvent(context, delivery, 'unreadable', errorMessage(error)),
      ),
    /** One event that fails is given back and keeps none of the others: event queues have no order. */
    handle: async (_key, batch) => {
      for (const one of batch) await handleEvent(context, one)
    },
  }
}

const handleEvent = async (context: HandlerContext, { event, delivery }: InFlightEvent): Promise<void> => {
  const { code, ports, metrics, log, queue } = context
  const { visibility, breaker } = context.host
  const { name } = code.declaration
  try {
    const timed = stopwatch(ports.clock)
    const { engine } = await withEngineCalls(() => runHandler(context, event))
    breaker.ok()
    sendSpan(context, { id: spanId(name, event), what: `hears ${event.type}`, trace: event.trace, outcome: 'done' }, timed(), engine)
    metrics.heard.inc({ actor: name, type: event.type })
    countRedriven(context, delivery)
    visibility.forget(delivery)
    await delivery.ack()
  } catch (err) {
    if (isOurFault(err) && delivery.receives >= POISON_RECEIVES)
      return discardEvent(context, delivery, 'hearing-failed', `${event.type} ${event.id}: ${String(err)}`)
    if (!isOurFault(err)) breaker.failed(err)
    log.warn({ err, queue, event: event.id }, 'an event could not be handled; it comes back')
    await visibility.returnAfter(delivery, retryDelay(delivery.receives))
  }
}

const spanId = (actor: string, event: EventEnvelope) => `${event.id}@${actor}`

/** Runs what the actor declares for events of this type: it sends itself commands, or acts outside. */
const runHandler = async (context: HandlerContext, event: EventEnvelope): Promise<void> => {
  const { code, ports } = context
  const { name } = code.declaration
  const handler = code.handlers[event.type]
  if (!handler) throw new TypeError(`${name} subscribes to ${event.type} and does nothing about it`)
  if ('effect' in handler) {
    const { backplane, jobs, clock } = ports
    return handler.effect(event, { read: reader(ports.store), backplane, jobs, clock })
  }
  const trace = { ...event.trace, cause: spanId(name, event) }
  for (const [k, { type, data }] of handler.toCommands(event).entries()) {
    const id = commandId(k === 0 ? event.id : `${event.id}~${k}`)
    await sendOwnCommand(context, { id, by: event.by, at: event.at, type, data, trace })
  }
}

const discardEvent = (context: HandlerContext, delivery: Delivery, label: Death['label'], reason: string): Promise<void> => {
  const logged = { text: 'an event became a dead letter', fields: { event: delivery.id } }
  return discard(context, delivery, () => moveToDeadLetters(context, delivery, { label, reason, logged }))
}
