import { GetQueueAttributesCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs'
import type { Logger } from 'pino'
import type { Clock } from '../clock/port.ts'
import { systemClock } from '../clock/system.ts'
import { checkHidden, weigh } from './limits.ts'
import type { Delivery, Mailbox } from './port.ts'
import { sqsAcks, sqsExtends, sqsSends } from './sqs-batches.ts'
import { sqsConsumer } from './sqs-consumer.ts'

export type SqsMailboxOptions = {
  readonly sqs: SQSClient
  /** For long polls: its requests may take longer than the 20 s that SQS waits. */
  readonly polling: SQSClient
  /** The address of a queue of the topology, the deployment's prefix added. Asked once a queue, and again after it failed. */
  readonly queueUrl: (name: string) => Promise<string>
  readonly clock?: Clock
  readonly log?: Pick<Logger, 'info' | 'warn' | 'error'>
  /** How long stopping a consumer waits for polls under way (ms) before it cuts them; by default every poll may end by itself, see `sqsConsumer`. */
  readonly stopMs?: number
  /** How long a poll waits for a message by default. */
  readonly waitSeconds?: number
}

/** The most that SQS takes. */
const WAIT_SECONDS = 20
/** For the last poll to come back: its 20 s, and the way. */
export const POLL_END_MS = WAIT_SECONDS * 1_000 + 1_000

/** SQS: sends, acks and visibility of callers at about the same time share requests of up to 10. */
export const sqsMailbox = ({
  sqs,
  polling,
  queueUrl,
  clock = systemClock,
  log,
  stopMs = POLL_END_MS,
  waitSeconds = WAIT_SECONDS,
}: SqsMailboxOptions): Mailbox => {
  const queues = new Map<string, ReturnType<typeof open>>()
  const open = (name: string) => {
    let known: Promise<string> | undefined
    const url = () => {
      known ??= queueUrl(name).catch(error => {
        known = undefined
        throw error
      })
      return known
    }
    const queue = { name, sqs, url }
    return { url, send: sqsSends(queue), ack: sqsAcks(queue), extend: sqsExtends(queue) }
  }
  const of = (name: string) => {
    const queue = queues.get(name) ?? open(name)
    queues.set(name, queue)
    return queue
  }

  return {
    send: async (name, message) => of(name).send({ message, bytes: weigh(name, message) }),
    consume: (name, options, handler) => {
      const { url, ack, extend } = of(name)
      const handles = { ack, extend: (handle: string, seconds: number) => extend({ handle, seconds }) }
      const receive = (messages: readonly Message[]) => handler(messages.map(message => delivery(message, handles)))
      return sqsConsumer({ waitSeconds, ...options, queue: name, url, polling, clock, log, stopMs, handler: receive })
    },
    depth: async name => {
      const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const]
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: await of(name).url(), AttributeNames }))
      return {
        waiting: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
      }
    },
  }
}

type Handles = {
  readonly ack: (handle: string) => Promise<void>
  readonly extend: (handle: string, seconds: number) => Promise<void>
}
/** The id that a FIFO message was sent with; a standard queue's message has the queue's own. */
const delivery = (message: Message, { ack, extend }: Handles): Delivery => {
  const { Attributes: system, ReceiptHandle: handle = '' } = message
  return {
    id: system?.MessageDeduplicationId ?? message.MessageId ?? '',
    group: system?.MessageGroupId,
    body: message.Body ?? '',
    attributes: plain(message.MessageAttributes),
    receives: Number(system?.ApproximateReceiveCount ?? 1),
    sentAt: Number(system?.SentTimestamp ?? 0),
    ack: () => ack(handle),
    extend: async seconds => extend(handle, checkHidden(seconds)),
  }
}
const NONE: Readonly<Record<string, string>> = {}
const plain = (attributes: Message['MessageAttributes']): Readonly<Record<string, string>> =>
  attributes ? Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value.StringValue ?? ''])) : NONE
