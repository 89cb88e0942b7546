import { commandQueue, eventQueue } from '../../../contracts/derive/topology.ts'
import { deadline } from '../ports/clock/deadline.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import type { Store } from '../ports/store/port.ts'
import { type Failpoint, failMidPublish, NO_FAILPOINT } from '../process/failpoints.ts'
import { keyedQueue } from './by-key.ts'
import { commandHandler } from './commands.ts'
import { eventHandler } from './events.ts'
import { type Host, type HostContext, type MessageHandler, recent } from './host.ts'
import { deliveryOf, type PartialBatchResponse, queueOf, SqsEvent } from './lambda-event.ts'

export type LambdaContext = HostContext & {
  /** Turns under way at once. */
  readonly concurrency: number
  /** Before the queues' names, as in their ARNs. */
  readonly prefix: string
  readonly failpoint?: Failpoint
}
/** What is needed of the context that Lambda gives with each event. */
export type Invocation = { readonly getRemainingTimeInMillis: () => number }

/** Kept of an invocation's time to say in it what is not finished: without an answer the whole batch would come again. */
const ANSWER_MS = 500

/**
 * The Lambda host: the worker's turns over the messages that Lambda polled, for both queues of an actor.
 * Whatever is settled within the invocation's time is left out of the answer and Lambda deletes it; the rest is reported and comes again. A key stops at its
 * first failure, its followers are reported with it, other keys go on. Set up the event source mappings with `ReportBatchItemFailures`,
 * and the queues with a visibility of six times the function's timeout, as AWS says.
 * @throws when an event is no event of the actor's queues: Lambda then keeps the whole batch
 */
export const lambdaHandler = (context: LambdaContext) => {
  const { code, ports, concurrency, prefix, log, failpoint = NO_FAILPOINT } = context
  const actor = code.declaration.name
  // Over all invocations of this process, as long as Lambda keeps it warm.
  const published = recent()

  return async (input: unknown, invocation: Invocation): Promise<PartialBatchResponse> => {
    const end = deadline(ports.clock, Math.max(0, invocation.getRemainingTimeInMillis() - ANSWER_MS))
    const { Records: records } = SqsEvent.parse(input)
    const queues = new Set(records.map(r => queueOf(r.eventSourceARN, prefix)))
    const open = new Set(records.map(r => r.messageId))
    let answered = false
    const over = () => answered || end.left() <= 0
    const host: Host = {
      // The queue keeps them hidden, longer than the invocation may take.
      visibility: { forget: () => true, returnAfter: async () => {} },
      breaker: { ok: () => {}, failed: err => log.warn({ err, actor }, 'an engine fails') },
      over,
      published,
    }
    const store = untilAnswered(ports.store, () => answered)
    const inTime = { ...context, ports: { ...ports, store, events: failMidPublish(ports.events, failpoint) } }
    const work = async (queue: string) => {
      const deliveries = records.flatMap(r => (queueOf(r.eventSourceARN, prefix) === queue ? [deliveryOf(r, id => open.delete(id))] : []))
      if (queue === commandQueue(actor)) {
        await failpoint('after-receive')
        return handleAll(commandHandler(inTime, host, failpoint), deliveries, concurrency)
      }
      if (queue === eventQueue(actor)) return handleAll(eventHandler(inTime, host), deliveries, concurrency)
      throw new Error(`${actor} takes messages from ${commandQueue(actor)} and ${eventQueue(actor)}, not from ${queue}`)
    }
    const all = Promise.all([...queues].map(work))
    const done = await end.race(
      all.then(() => true),
      () => false,
    )
    answered = true
    if (!done) log.warn({ actor, messages: open.size }, 'the time of the invocation was not enough')
    return { batchItemFailures: [...open].map(itemIdentifier => ({ itemIdentifier })) }
  }
}

/** Each key's messages in one run: no later one begins after an earlier one failed. */
const handleAll = async <T>({ read, handle }: MessageHandler<T>, deliveries: readonly Delivery[], concurrency: number): Promise<void> => {
  const keys = keyedQueue<T>(concurrency, deliveries.length, handle)
  for (const [key, batch] of await read(deliveries)) keys.add(key, batch)
  await keys.idle()
}

/**
 * Lambda freezes what is under way when the answer is given and thaws it with the next event, hours later perhaps. A turn that began then must not commit
 * any more: its message was settled by another since, and others after it.
 */
const untilAnswered = (store: Store, answered: () => boolean): Store => ({
  ...store,
  commit: async writes => {
    if (answered()) throw new Error('the invocation is over: its messages come again')
    return store.commit(writes)
  },
})
