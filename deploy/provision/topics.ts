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
import { isNamed, type Pace, retry } from './retry.ts'

export type Topic = { readonly name: string; readonly arn: string; readonly done: Done }
/** A queue that hears these types of events of a topic. */
export type Wanted = { readonly queue: string; readonly queueArn: string; readonly types: readonly string[] }

/** Two runs change the same topic, or it is so new that not all of SNS knows it. */
const isTooEarly = (error: unknown): boolean => isNamed(error, 'ConcurrentAccessException', 'NotFoundException', 'NotFound')

const existing = async (sns: SNSClient, pace: Pace): Promise<Set<string>> => {
  const arns = new Set<string>()
  let NextToken: string | undefined
  do {
    const command = new ListTopicsCommand(NextToken === undefined ? {} : { NextToken })
    const page = await retry(pace, 'the topics cannot be listed', () => sns.send(command))
    for (const { TopicArn } of page.Topics ?? []) if (TopicArn !== undefined) arns.add(TopicArn)
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return arns
}

/** Standard topics by their full names. */
export const provisionTopics = async (sns: SNSClient, names: readonly string[], pace: Pace): Promise<Topic[]> => {
  const before = await existing(sns, pace)
  return Promise.all(
    names.map(async name => {
      const creating = () => sns.send(new CreateTopicCommand({ Name: name }))
      const { TopicArn: arn } = await retry(pace, `the topic ${name} cannot be made`, creating, isTooEarly)
      if (arn === undefined) throw new Error(`SNS gave no ARN for the topic ${name}`)
      return { name, arn, done: done('topic', name, before.has(arn), []) }
    }),
  )
}

/** Those that are confirmed: of others and of deleted ones SNS lists a word instead of an ARN. */
const subscriptionsOf = async (sns: SNSClient, TopicArn: string, pace: Pace): Promise<Subscription[]> => {
  const all: Subscription[] = []
  let NextToken: string | undefined
  do {
    const command = new ListSubscriptionsByTopicCommand({ TopicArn, ...(NextToken === undefined ? {} : { NextToken }) })
    const page = await retry(pace, `the subscriptions of ${TopicArn} cannot be listed`, () => sns.send(command), isTooEarly)
    all.push(...(page.Subscriptions ?? []).filter(s => s.SubscriptionArn?.startsWith('arn:')))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return all
}

const subscriptionTo = (found: readonly Subscription[], endpoint: string): string | undefined =>
  found.find(s => s.Endpoint === endpoint)?.SubscriptionArn

type Attributes = Readonly<Record<string, string>>
type Home = { readonly sns: SNSClient; readonly pace: Pace }

/** @returns false when there is one already, with other attributes: another run, or by hand, since the list was made */
const subscribe = ({ sns, pace }: Home, topic: Topic, Endpoint: string, wanted: Attributes): Promise<boolean> =>
  retry(
    pace,
    `${Endpoint} cannot be subscribed to ${topic.name}`,
    async () => {
      try {
        await sns.send(
          new SubscribeCommand({ TopicArn: topic.arn, Protocol: 'sqs', Endpoint, Attributes: wanted, ReturnSubscriptionArn: true }),
        )
        return true
      } catch (error) {
        if (isNamed(error, 'InvalidParameterException', 'InvalidParameter') && /already exists/i.test(error.message)) return false
        throw error
      }
    },
    isTooEarly,
  )

/** @returns undefined when the subscription has gone, though the list still had it */
const attributesOf = async ({ sns, pace }: Home, SubscriptionArn: string): Promise<Partial<Attributes> | undefined> =>
  retry(pace, `the subscription ${SubscriptionArn} cannot be read`, async () => {
    try {
      return (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes ?? {}
    } catch (error) {
      if (isNamed(error, 'NotFoundException', 'NotFound')) return undefined
      throw error
    }
  })

const provisionSubscription = async (home: Home, topic: Topic, { queue, queueArn, types }: Wanted, listed?: string): Promise<Done> => {
  const { sns, pace } = home
  const name = `${topic.name} -> ${queue}`
  const wanted = { RawMessageDelivery: 'true', FilterPolicyScope: 'MessageAttributes', FilterPolicy: JSON.stringify({ type: types }) }
  const before = listed === undefined ? undefined : await attributesOf(home, listed)
  if (before === undefined && (await subscribe(home, topic, queueArn, wanted))) return done('subscription', name, false, [])
  const arn = before === undefined ? subscriptionTo(await subscriptionsOf(sns, topic.arn, pace), queueArn) : listed
  if (arn === undefined) throw new Error(`SNS says that ${name} is subscribed, and does not list it: provision once more`)
  const now = before ?? (await attributesOf(home, arn)) ?? {}
  // SNS leaves the scope out while it is the default.
  const differing = Object.entries(wanted).filter(
    ([key, value]) => !same(now[key] ?? (key === 'FilterPolicyScope' ? value : undefined), value),
  )
  for (const [AttributeName, AttributeValue] of differing) {
    const changing = () => sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn: arn, AttributeName, AttributeValue }))
    await retry(pace, `the subscription ${name} cannot be changed`, changing, isTooEarly)
  }
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
  pace: Pace,
): Promise<Done[]> => {
  const found = await subscriptionsOf(sns, topic.arn, pace)
  const heard = new Set(wanted.map(w => w.queueArn))
  const removed = found.map(async ({ SubscriptionArn, Endpoint = '' }): Promise<Done[]> => {
    const queue = Endpoint.split(':').at(-1) ?? ''
    if (heard.has(Endpoint) || !ours.has(queue)) return []
    await retry(pace, `${queue} cannot be unsubscribed from ${topic.name}`, () => sns.send(new UnsubscribeCommand({ SubscriptionArn })))
    return [{ kind: 'subscription', name: `${topic.name} -> ${queue}`, did: 'removed', changes: [] }]
  })
  const subscribed = wanted.map(w => provisionSubscription({ sns, pace }, topic, w, subscriptionTo(found, w.queueArn)))
  return [...(await Promise.all(subscribed)), ...(await Promise.all(removed)).flat()]
}
