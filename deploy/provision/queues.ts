import { setTimeout as pause } from 'node:timers/promises'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Done, done, same } from './report.ts'
import { isNamed, type Pace, retry } from './retry.ts'

type Attributes = Readonly<Record<string, string>>
/** A queue and its dead letters. */
export type Pair = { readonly queue: string; readonly dead: string }
/** What all queues go by: the client, the names of those that are there, the ARN of a queue by its name, and how long SQS takes. */
export type Home = {
  readonly sqs: SQSClient
  readonly existing: ReadonlySet<string>
  readonly arnOf: (queue: string) => string
  readonly pace: Pace
}

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

/** Which of these queues are there. The list may lag a minute behind, either way: see `provisionQueue`. */
export const existingQueues = async (sqs: SQSClient, names: readonly string[], pace: Pace): Promise<Set<string>> => {
  const found = new Set<string>()
  const QueueNamePrefix = commonStart(names)
  let NextToken: string | undefined
  do {
    const command = new ListQueuesCommand({ QueueNamePrefix, MaxResults: 1_000, ...(NextToken === undefined ? {} : { NextToken }) })
    const page = await retry(pace, 'the queues cannot be listed', () => sqs.send(command))
    for (const url of page.QueueUrls ?? []) found.add(url.slice(url.lastIndexOf('/') + 1))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return found
}

const isMissing = (error: unknown): boolean => isNamed(error, 'QueueDoesNotExist')
/** The name of a deleted queue is free again after a minute; dead letters that were just made are not known everywhere. */
const isTooEarlyToCreate = (error: unknown): boolean =>
  isNamed(error, 'QueueDeletedRecently') ||
  isMissing(error) ||
  (error instanceof Error && /dead.?letter.*does not exist/i.test(error.message))

/** @returns false when the queue is there after all, with other attributes */
const create = async ({ sqs, pace }: Home, QueueName: string, Attributes: Attributes): Promise<boolean> => {
  const creating = async () => {
    try {
      await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
      return true
    } catch (error) {
      if (isNamed(error, 'QueueNameExists', 'QueueAlreadyExists')) return false
      throw error
    }
  }
  const made = await retry(pace, `the queue ${QueueName} cannot be made`, creating, isTooEarlyToCreate)
  // Also of one that another run has just made nobody may ask anything yet.
  await pause(pace.newQueueMs)
  return made
}

/** @returns undefined when it is not there, whatever the list said */
const findUrl = async ({ sqs, pace }: Home, QueueName: string): Promise<string | undefined> =>
  retry(pace, `the queue ${QueueName} cannot be found`, async () => {
    try {
      return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })

const provisionQueue = async (home: Home, name: string, wanted: Attributes): Promise<Done> => {
  const { sqs, existing, pace } = home
  const listed = existing.has(name) ? await findUrl(home, name) : undefined
  if (listed === undefined && (await create(home, name, wanted))) return done('queue', name, false, [])
  const asking = () => sqs.send(new GetQueueUrlCommand({ QueueName: name }))
  const QueueUrl = listed ?? (await retry(pace, `the queue ${name} cannot be found`, asking, isMissing)).QueueUrl
  const reading = () => sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  const answer = await retry(pace, `the queue ${name} cannot be read`, reading, isMissing)
  const now: Record<string, string | undefined> = answer.Attributes ?? {}
  const differing = Object.entries(wanted).filter(([key, value]) => !same(now[key], value))
  const changing = () => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: Object.fromEntries(differing) }))
  if (differing.length > 0) await retry(pace, `the queue ${name} cannot be changed`, changing, isTooEarlyToCreate)
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
