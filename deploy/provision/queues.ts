import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Done, done, same } from './report.ts'

type Attributes = Readonly<Record<string, string>>
/** A queue and its dead letters. */
export type Pair = { readonly queue: string; readonly dead: string }
/** What all queues go by: the client, the names of those that are there, and the ARN of a queue by its name. */
export type Home = { readonly sqs: SQSClient; readonly existing: ReadonlySet<string>; readonly arnOf: (queue: string) => string }

const days = (n: number) => String(n * 86_400)
/** The mesh dead-letters poison itself; this only stops what would go round for ever. */
const MAX_RECEIVES = 1_000

/** Deduplication and throughput by group lift the limit of 300 calls a second for the whole queue. */
const FIFO: Attributes = {
  FifoQueue: 'true',
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
}

const commonStart = ([first = '', ...rest]: readonly string[]): string => {
  let length = first.length
  for (const name of rest) while (!name.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}

/** Which of these queues are there. The list may lag a minute behind, see `create`. */
export const existingQueues = async (sqs: SQSClient, names: readonly string[]): Promise<Set<string>> => {
  const found = new Set<string>()
  const QueueNamePrefix = commonStart(names)
  let NextToken: string | undefined
  do {
    const page = await sqs.send(
      new ListQueuesCommand({ QueueNamePrefix, MaxResults: 1_000, ...(NextToken === undefined ? {} : { NextToken }) }),
    )
    for (const url of page.QueueUrls ?? []) found.add(url.slice(url.lastIndexOf('/') + 1))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return found
}

/** @returns false when the queue is there after all, with other attributes */
const create = async (sqs: SQSClient, QueueName: string, attributes: Attributes): Promise<boolean> => {
  try {
    await sqs.send(new CreateQueueCommand({ QueueName, Attributes: attributes }))
    return true
  } catch (error) {
    if (error instanceof Error && (error.name === 'QueueNameExists' || error.name === 'QueueAlreadyExists')) return false
    throw error
  }
}

const provisionQueue = async ({ sqs, existing }: Home, name: string, wanted: Attributes): Promise<Done> => {
  if (!existing.has(name) && (await create(sqs, name, wanted))) return done('queue', name, false, [])
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }))
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  const now: Record<string, string | undefined> = answer.Attributes ?? {}
  const differing = Object.entries(wanted).filter(([key, value]) => !same(now[key], value))
  if (differing.length > 0) await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: Object.fromEntries(differing) }))
  return done(
    'queue',
    name,
    true,
    differing.map(([key, value]) => `${key} ${now[key] ?? 'none'} -> ${value}`),
  )
}

const withDead = async (
  home: Home,
  { queue, dead }: Pair,
  kind: Attributes,
  visibility: number,
  more: Attributes = {},
): Promise<Done[]> => {
  // First, for a queue cannot name dead letters that are not there.
  const letters = await provisionQueue(home, dead, { ...kind, MessageRetentionPeriod: days(14), VisibilityTimeout: '30' })
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: home.arnOf(dead), maxReceiveCount: MAX_RECEIVES })
  const wanted = { ...kind, ...more, MessageRetentionPeriod: days(4), VisibilityTimeout: String(visibility), RedrivePolicy }
  return [await provisionQueue(home, queue, wanted), letters]
}

/** A FIFO queue for commands. The short visibility, which workers renew, frees the keys of a killed one soon. */
export const provisionMailbox = (home: Home, pair: Pair): Promise<Done[]> => withDead(home, pair, FIFO, 10)

/** A standard queue for events, that these topics and nobody else may send to. */
export const provisionEventQueue = (home: Home, pair: Pair, topicArns: readonly string[]): Promise<Done[]> => {
  const statement = {
    Sid: 'topics',
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: home.arnOf(pair.queue),
    Condition: { ArnEquals: { 'aws:SourceArn': topicArns } },
  }
  return withDead(home, pair, {}, 30, { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) })
}
