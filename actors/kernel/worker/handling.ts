import type { Trace } from '../../../contracts/declare/envelope.ts'
import type { Timed } from '../ports/clock/stopwatch.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { isSampled, type Span } from '../ports/tracing/span.ts'
import { isOurFault } from '../process/our-fault.ts'
import { deadLetter } from './dead-letters.ts'
import type { Host, HostContext } from './host.ts'
import { retryDelay } from './visibility.ts'

/** What the handlers of an actor's commands and of its events have in common. */
export type HandlerContext = HostContext & { readonly queue: string; readonly host: Pick<Host, 'visibility' | 'breaker'> }

/** A message whose handling throws for a fault of ours at this receive or later becomes a dead letter. */
export const POISON_RECEIVES = 5

/** Counts a message that was redriven, once it is known what became of it: a worker that died of it would count it no more. */
export const countRedriven = ({ metrics, queue }: HandlerContext, { attributes }: Delivery): void => {
  if (attributes.redriven === 'true') metrics.redriven.inc({ queue })
}

/** Why a message died: the metric's label and the reason that is kept with it; and what the log says. */
export type Death = {
  readonly label: 'rule-failed' | 'hearing-failed' | 'unreadable'
  readonly reason: string
  readonly logged: { readonly text: string; readonly fields: Readonly<Record<string, unknown>> }
}

/** Moves a message to the dead letters, which is counted and logged. */
export const moveToDeadLetters = async (context: HandlerContext, delivery: Delivery, { label, reason, logged }: Death): Promise<void> => {
  const { ports, queue, metrics, log } = context
  await deadLetter(ports.mailbox, queue, delivery, reason)
  metrics.dead.inc({ queue, reason: label })
  countRedriven(context, delivery)
  log.error({ queue, ...logged.fields, reason }, logged.text)
}

/** Does away with a message. Where that fails, the message comes back and it is tried again. */
export const discard = async (context: HandlerContext, delivery: Delivery, discarding: () => Promise<void>): Promise<void> => {
  const { visibility, breaker } = context.host
  try {
    await discarding()
    visibility.forget(delivery)
  } catch (error) {
    if (!isOurFault(error)) breaker.failed(error)
    await visibility.returnAfter(delivery, retryDelay(delivery.receives))
  }
}

/**
 * Reads a receive.
 * @param read throws what it will throw again for this message
 * @param unreadable does away with a message that cannot be read
 * @returns the messages by key, in their order
 */
export const readByKey = async <T>(
  { ports: { clock }, metrics, queue }: HandlerContext,
  deliveries: readonly Delivery[],
  read: (delivery: Delivery) => { readonly key: string; readonly message: T },
  unreadable: (delivery: Delivery, error: unknown) => Promise<void>,
): Promise<ReadonlyMap<string, readonly T[]>> => {
  const byKey = new Map<string, T[]>()
  for (const delivery of deliveries) {
    metrics.lag.observe({ queue }, Math.max(0, clock.now() - delivery.sentAt) / 1000)
    try {
      const { key, message } = read(delivery)
      const earlier = byKey.get(key)
      if (earlier) earlier.push(message)
      else byKey.set(key, [message])
    } catch (error) {
      await unreadable(delivery, error)
    }
  }
  return byKey
}

/** What a span says of the handling of one message. */
export type Handled = { readonly id: string; readonly what: string; readonly trace: Trace; readonly outcome: string }

/** Sends the span of a message whose request is traced. A span that is lost harms nobody. */
export const sendSpan = (context: HandlerContext, handled: Handled, { at, ms }: Timed, engine: Span['engine']): void => {
  const { code, ports, log } = context
  const { id, what, trace, outcome } = handled
  if (!isSampled(trace.traceparent)) return
  ports.backplane
    .trace({ request: trace.request, id, cause: trace.cause ?? trace.request, actor: code.declaration.name, what, at, ms, engine, outcome })
    .catch(err => log.debug({ err }, 'a span was lost'))
}
