import type { Logger } from 'pino'
import type { Clock } from '../clock/port.ts'
import { checkHidden, isFifo, weigh } from './limits.ts'
import { type Kept, memoryQueue } from './memory-queue.ts'
import type { ConsumeOptions, Consumer, Delivery, Mailbox, Outgoing } from './port.ts'

/** What may go wrong with a message on its way, for tests. */
export type MailboxFaults = {
  /** How many copies come besides it, in a FIFO queue too: as if sent again after the queue had forgotten its id. */
  readonly duplicate?: (queue: string, message: Outgoing) => number
  /** Milliseconds until it can be received: in a standard queue others overtake it, in a FIFO queue its group waits behind it. */
  readonly delay?: (queue: string, message: Outgoing) => number
}
export type MemoryMailboxOptions = {
  readonly clock: Clock
  /** Decides which groups come first; seeded, everything happens alike again. */
  readonly random: () => number
  readonly faults?: MailboxFaults
  readonly log?: Pick<Logger, 'error'>
}
type Queue = ReturnType<typeof memoryQueue>
type Handler = (deliveries: readonly Delivery[]) => Promise<void>

const MOST_A_RECEIVE = 10
const AFTER_ERROR_MS = 100

/** Queues in this process, which begin to exist when they are named. They refuse what SQS refuses. */
export const memoryMailbox = ({ clock, random, faults, log }: MemoryMailboxOptions): Mailbox => {
  const queues = new Map<string, Queue>()
  const of = (name: string): Queue => {
    const queue = queues.get(name) ?? memoryQueue(name, isFifo(name), clock, random)
    queues.set(name, queue)
    return queue
  }
  return {
    send: async (name, message) => {
      weigh(name, message)
      const queue = of(name)
      queue.put(message, faults?.delay?.(name, message))
      const copies = faults?.duplicate?.(name, message) ?? 0
      for (let i = 0; i < copies; i++) queue.put(message, faults?.delay?.(name, message), true)
    },
    consume: (name, options, handler) => memoryConsumer(name, of(name), options, handler, clock, log),
    depth: async name => of(name).depth(),
  }
}

const memoryConsumer = (
  name: string,
  queue: Queue,
  { pollers, visibility, ready }: ConsumeOptions,
  handler: Handler,
  clock: Clock,
  log: Pick<Logger, 'error'> | undefined,
): Consumer => {
  const handling = new Set<Promise<void>>()
  let stopping = false

  const receive = async () => {
    await ready?.()
    if (stopping) return
    const batch = queue.take(MOST_A_RECEIVE, visibility)
    if (batch.length === 0) return queue.arrival()
    const handled = handler(batch.map(kept => delivery(queue, kept)))
    handling.add(handled)
    await handled.finally(() => handling.delete(handled))
  }
  const poll = async () => {
    while (!stopping) {
      try {
        await receive()
      } catch (err) {
        // As with SQS: what the handler left comes back after its visibility.
        log?.error({ err, queue: name }, 'a receive could not be handed on')
        await clock.sleep(AFTER_ERROR_MS)
      }
    }
  }
  for (let i = 0; i < pollers; i++) void poll()

  return {
    stop: async () => {
      stopping = true
      queue.wake()
      await Promise.allSettled(handling)
    },
    health: () => ({ ok: true, error: null }),
  }
}

const delivery = (queue: Queue, kept: Kept): Delivery => {
  const { handle } = kept
  return {
    id: kept.id,
    group: kept.group.fifo ? kept.message.group : undefined,
    body: kept.message.body,
    attributes: kept.message.attributes ?? NONE,
    receives: handle,
    sentAt: kept.sentAt,
    ack: async () => queue.ack(kept, handle),
    extend: async seconds => queue.extend(kept, handle, checkHidden(seconds)),
  }
}
const NONE: Readonly<Record<string, string>> = {}
