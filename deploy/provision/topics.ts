import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  SetSubscriptionAttributesCommand,
  type SNSClient,
  SubscribeCommand,
  type Subscription,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns'
import { type Done, done, same } from './report.ts'

export type Topic = { readonly name: string; readonly arn: string; readonly done: Done }
/** A queue that hears these types of events of a topic. */
export type Wanted = { readonly queue: string; readonly queueArn: string; readonly types: readonly string[] }

const existing = async (sns: SNSClient): Promise<Set<string>> => {
  const arns = new Set<string>()
  let NextToken: string | undefined
  do {
    const page = await sns.send(new ListTopicsCommand(NextToken === undefined ? {} : { NextToken }))
    for (const { TopicArn } of page.Topics ?? []) if (TopicArn !== undefined) arns.add(TopicArn)
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return arns
}

/** Standard topics by their full names. */
export const provisionTopics = async (sns: SNSClient, names: readonly string[]): Promise<Topic[]> => {
  const before = await existing(sns)
  return Promise.all(
    names.map(async name => {
      const { TopicArn: arn } = await sns.send(new CreateTopicCommand({ Name: name }))
      if (arn === undefined) throw new Error(`SNS gave no ARN for the topic ${name}`)
      return { name, arn, done: done('topic', name, before.has(arn), []) }
    }),
  )
}

const subscriptionsOf = async (sns: SNSClient, TopicArn: string): Promise<Subscription[]> => {
  const all: Subscription[] = []
  let NextToken: string | undefined
  do {
    const page = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn, ...(NextToken === undefined ? {} : { NextToken }) }))
    all.push(...(page.Subscriptions ?? []))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return all
}

const subscribe = async (
  sns: SNSClient,
  topic: Topic,
  { queue, queueArn, types }: Wanted,
  found: Subscription | undefined,
): Promise<Done> => {
  const name = `${topic.name} -> ${queue}`
  const wanted = { RawMessageDelivery: 'true', FilterPolicyScope: 'MessageAttributes', FilterPolicy: JSON.stringify({ type: types }) }
  const SubscriptionArn = found?.SubscriptionArn
  if (SubscriptionArn === undefined) {
    await sns.send(
      new SubscribeCommand({ TopicArn: topic.arn, Protocol: 'sqs', Endpoint: queueArn, Attributes: wanted, ReturnSubscriptionArn: true }),
    )
    return done('subscription', name, false, [])
  }
  const { Attributes: now = {} } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))
  // SNS leaves the scope out while it is the default.
  const differing = Object.entries(wanted).filter(
    ([key, value]) => !same(now[key] ?? (key === 'FilterPolicyScope' ? value : undefined), value),
  )
  for (const [AttributeName, AttributeValue] of differing)
    await sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }))
  return done(
    'subscription',
    name,
    true,
    differing.map(([key, value]) => `${key} ${now[key] ?? 'none'} -> ${value}`),
  )
}

/**
 * Subscribes queues to a topic: raw, filtered on the message attribute `type`. A queue of the mesh that hears nothing of this topic any more
 * is unsubscribed, others' subscriptions stay.
 * @param ours the names of all event queues of the mesh
 */
export const provisionSubscriptions = async (
  sns: SNSClient,
  topic: Topic,
  wanted: readonly Wanted[],
  ours: ReadonlySet<string>,
): Promise<Done[]> => {
  const found = await subscriptionsOf(sns, topic.arn)
  const heard = new Set(wanted.map(w => w.queueArn))
  const removed = found.map(async ({ SubscriptionArn, Endpoint = '' }): Promise<Done[]> => {
    const queue = Endpoint.split(':').at(-1) ?? ''
    if (heard.has(Endpoint) || !ours.has(queue)) return []
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }))
    return [{ kind: 'subscription', name: `${topic.name} -> ${queue}`, did: 'removed', changes: [] }]
  })
  const subscribed = wanted.map(w =>
    subscribe(
      sns,
      topic,
      w,
      found.find(s => s.Endpoint === w.queueArn),
    ),
  )
  return [...(await Promise.all(subscribed)), ...(await Promise.all(removed)).flat()]
}
