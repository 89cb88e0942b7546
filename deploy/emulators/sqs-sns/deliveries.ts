import { type Fields, isFields } from './app.ts'
import { parsed } from './queue-refusals.ts'
import type { Queue, Stores } from './stores.ts'

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html: with raw delivery a message of more attributes is discarded. */
const MAX_ATTRIBUTES = 10

/**
 * Makes topics deliver as on AWS where the emulator differs: only to queues whose policy lets this topic send
 * (https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html), and nothing with more attributes than a message may have.
 */
export function deliverAsAllowed({ sqsStore, snsStore }: Stores): void {
  const getTopic = snsStore.getTopic.bind(snsStore)
  const mayReceive = (topicArn: string, subscriptionArn: string): boolean => {
    const endpoint = snsStore.getSubscription(subscriptionArn)?.endpoint
    const queue = endpoint === undefined ? undefined : sqsStore.getQueueByArn(endpoint)
    return queue !== undefined && maySend(queue, topicArn)
  }
  // Publishing takes a topic's subscriptions from here; whoever lists them, from elsewhere.
  snsStore.getTopic = arn => {
    const topic = getTopic(arn)
    return topic && { ...topic, subscriptionArns: topic.subscriptionArns.filter(subscription => mayReceive(arn, subscription)) }
  }
  const createQueue = sqsStore.createQueue.bind(sqsStore)
  sqsStore.createQueue = (...args) => {
    const queue = createQueue(...args)
    const enqueue = queue.enqueue.bind(queue)
    queue.enqueue = message => {
      // One that was sent to the queue itself has been refused before.
      if (Object.keys(message.messageAttributes).length <= MAX_ATTRIBUTES) enqueue(message)
    }
    return queue
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])
const matches = (pattern: unknown, text: string): boolean =>
  typeof pattern === 'string' &&
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  ).test(text)
const anyMatches = (patterns: unknown, text: string): boolean => listOf(patterns).some(pattern => matches(pattern, text))

function maySend({ arn, attributes }: Queue, topicArn: string): boolean {
  const statements = listOf(parsed(attributes.Policy ?? '')?.Statement).filter(isFields)
  const applying = statements.filter(statement => applies(statement, arn, topicArn))
  return applying.some(s => s.Effect === 'Allow') && !applying.some(s => s.Effect === 'Deny')
}

function applies(
  { Principal: principal, Action: action, Resource: resource, Condition: condition }: Fields,
  queueArn: string,
  topicArn: string,
): boolean {
  const service =
    principal === '*' ||
    (isFields(principal) && (anyMatches(principal.Service, 'sns.amazonaws.com') || listOf(principal.AWS).includes('*')))
  return service && anyMatches(action, 'sqs:SendMessage') && anyMatches(resource, queueArn) && holds(condition, topicArn)
}

/** Operators and keys that are not known here do not hold: who relies on them finds out. */
function holds(condition: unknown, topicArn: string): boolean {
  if (!isFields(condition)) return condition === undefined
  const values: Readonly<Record<string, string | undefined>> = { 'aws:sourcearn': topicArn, 'aws:sourceaccount': topicArn.split(':')[4] }
  return Object.entries(condition).every(
    ([operator, tests]) =>
      /^(Arn|String)(Equals|Like|EqualsIgnoreCase)$/.test(operator) &&
      isFields(tests) &&
      Object.entries(tests).every(([key, patterns]) => anyMatches(patterns, values[key.toLowerCase()] ?? '\0')),
  )
}
