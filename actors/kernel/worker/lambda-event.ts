import { z } from 'zod'
import type { Delivery } from '../ports/mailbox/port.ts'

/**
 * What is needed of the event that Lambda makes of messages from SQS.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
const Record_ = z.object({
  messageId: z.string(),
  body: z.string(),
  eventSourceARN: z.string(),
  attributes: z.object({
    ApproximateReceiveCount: z.coerce.number(),
    SentTimestamp: z.coerce.number(),
    MessageGroupId: z.string().optional(),
    MessageDeduplicationId: z.string().optional(),
  }),
  messageAttributes: z.record(z.string(), z.object({ stringValue: z.string().optional() })).default({}),
})
export const SqsEvent = z.object({ Records: z.array(Record_) })

/** What Lambda is told: which messages it must not delete. They come again after the queue's visibility. */
export type PartialBatchResponse = { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }

/** The queue's name out of its ARN, the deployment's prefix taken off. @throws when it belongs to another deployment */
export const queueOf = (arn: string, prefix: string): string => {
  const name = arn.slice(arn.lastIndexOf(':') + 1)
  if (!name.startsWith(prefix)) throw new Error(`${arn} is no queue of this deployment, whose names begin with ${JSON.stringify(prefix)}`)
  return name.slice(prefix.length)
}

/**
 * A record as a delivery. To acknowledge it is not to report it: Lambda deletes it then. Visibility is the queue's.
 * @param settled told when it is acknowledged
 */
export const deliveryOf = (record: z.infer<typeof Record_>, settled: (messageId: string) => void): Delivery => ({
  // Of a FIFO message the id that it was sent with, as the worker has it.
  id: record.attributes.MessageDeduplicationId ?? record.messageId,
  group: record.attributes.MessageGroupId,
  body: record.body,
  attributes: Object.fromEntries(Object.entries(record.messageAttributes).map(([name, { stringValue = '' }]) => [name, stringValue])),
  receives: record.attributes.ApproximateReceiveCount,
  sentAt: record.attributes.SentTimestamp,
  ack: async () => settled(record.messageId),
  extend: async () => {},
})
