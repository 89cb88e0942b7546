import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Delivery, Mailbox } from '../../actors/kernel/ports/mailbox/port.ts'
import type { lambdaHandler } from '../../actors/kernel/worker/lambda.ts'

/** A process of a function: handles one event at a time, and may die at it. */
type Container = {
  readonly handler: ReturnType<typeof lambdaHandler>
  /** Resolves when it has died. */
  readonly death: Promise<void>
}
type MappingOptions = {
  readonly mailbox: Mailbox
  readonly clock: Clock
  readonly queue: string
  /** The deployment's, before the queue's name in its ARN. */
  readonly prefix?: string
  readonly start: () => Container | Promise<Container>
}

/** Seconds: of the queue; and what a function may take of them, in ms. */
const VISIBILITY = 10
const TIMEOUT_MS = 8_000
const CONCURRENCY = 2

/**
 * What Lambda does between a queue and a function: polls, invokes a container that is idle or a new one, and deletes what the answer does not name.
 * What it names, and all that a container had when it died, comes again after its visibility.
 */
export const eventSource = ({ mailbox, clock, queue, prefix = '', start }: MappingOptions) => {
  const idle: Container[] = []
  // Started before there is something for it: the time of a message is not spent on that.
  const ready = async () => {
    if (idle.length === 0) idle.push(await start())
  }
  return mailbox.consume(queue, { pollers: CONCURRENCY, visibility: VISIBILITY, ready }, async deliveries => {
    const container = idle.pop() ?? (await start())
    const event = { Records: deliveries.map((d, n) => record(`${prefix}${queue}`, d, n)) }
    const until = clock.now() + TIMEOUT_MS
    const answer = await Promise.race([
      container.handler(event, { getRemainingTimeInMillis: () => until - clock.now() }),
      container.death,
      clock.sleep(TIMEOUT_MS).then(() => undefined),
    ])
    if (!answer) return
    idle.push(container)
    const failed = new Set(answer.batchItemFailures.map(f => f.itemIdentifier))
    await Promise.all(deliveries.map((d, n) => (failed.has(itemId(d, n)) ? undefined : d.ack())))
  })
}

/** SQS's own id of a message is not the one that it was sent with. */
const itemId = (d: Delivery, n: number) => `sqs-${n}-${d.id}`
const record = (queue: string, d: Delivery, n: number) => ({
  messageId: itemId(d, n),
  receiptHandle: 'a handle',
  body: d.body,
  attributes: {
    ApproximateReceiveCount: String(d.receives),
    SentTimestamp: String(d.sentAt),
    ...(d.group === undefined ? {} : { MessageGroupId: d.group, MessageDeduplicationId: d.id }),
  },
  messageAttributes: Object.fromEntries(
    Object.entries(d.attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String', stringListValues: [] }]),
  ),
  eventSource: 'aws:sqs',
  eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
  awsRegion: 'us-east-1',
})
