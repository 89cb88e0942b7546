import { type Fields, isFields } from './app.ts'
import type { Queue, SqsStore } from './stores.ts'

export type Refusal = { readonly code: string; readonly message: string }
const refusal = (code: string, message: string): Refusal => ({ code, message })

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html */
const NAME = /^[\w-]{1,80}$/
const FIFO_NAME = /^[\w-]{1,75}\.fifo$/
const MAX_RECEIVE_COUNT = 1_000

/** What AWS refuses of a queue that is to be made, and the emulator takes. */
export function refuseNewQueue({ QueueName: name, Attributes: given }: Fields, store: SqsStore): Refusal | undefined {
  const attributes = isFields(given) ? given : {}
  const fifo = attributes.FifoQueue === 'true'
  if (typeof name !== 'string' || !(fifo ? FIFO_NAME : NAME).test(name)) {
    const which = fifo ? 'The name of a FIFO queue can only' : 'Can only'
    return refusal('InvalidParameterValue', `${which} include alphanumeric characters, hyphens, or underscores. 1 to 80 in length`)
  }
  // A standard queue has no such attribute, not even with this value.
  if (attributes.FifoQueue !== undefined && !fifo) return refusal('InvalidAttributeName', 'Unknown Attribute FifoQueue.')
  if (attributes.FifoThroughputLimit === 'perMessageGroupId' && attributes.DeduplicationScope !== 'messageGroup') {
    return refusal(
      'InvalidAttributeValue',
      'Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.',
    )
  }
  return refuseRedrive(attributes.RedrivePolicy, fifo, store)
}

/** What AWS refuses of attributes that a queue is to have from now on. */
export function refuseAttributes({ Attributes: given }: Fields, queue: Queue, store: SqsStore): Refusal | undefined {
  return refuseRedrive(isFields(given) ? given.RedrivePolicy : undefined, queue.isFifo(), store)
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
function refuseRedrive(text: unknown, fifo: boolean, store: SqsStore): Refusal | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const refuse = (reason: string) =>
    refusal('InvalidParameterValue', `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`)
  const policy = parsed(text)
  if (policy === undefined) return refuse('Redrive policy is not a valid JSON map.')
  const { deadLetterTargetArn: arn, maxReceiveCount } = policy
  const count = Number(maxReceiveCount)
  if (!Number.isInteger(count) || count < 1 || count > MAX_RECEIVE_COUNT)
    return refuse(`Invalid value for maxReceiveCount: ${maxReceiveCount}, valid values are from 1 to ${MAX_RECEIVE_COUNT} both inclusive.`)
  const target = typeof arn === 'string' ? store.getQueueByArn(arn) : undefined
  if (target === undefined) return refuse('Dead letter target does not exist.')
  return target.isFifo() === fifo ? undefined : refuse('Dead-letter queue must be same type of queue as the source.')
}

/** A JSON object in a text; undefined for what is none. */
export function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
