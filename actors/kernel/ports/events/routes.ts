import { ListSubscriptionsByTopicCommand, type SNSClient } from '@aws-sdk/client-sns'
import type { Topology } from '../../../../contracts/derive/topology.ts'
import type { Mailbox } from '../mailbox/port.ts'

/** A piece of the way of events that is not there any more, and what to call it. */
export type MissingRoute = { readonly name: string; readonly topic: string | null; readonly queue: string | null }
/** What a person reads of it. @param name of a missing route */
export const missingRoute = (name: string): string => `the ${name} is not there: events do not arrive; npm run provision puts it back`

/** @throws when the engines cannot be asked: then nothing is known */
export type FindMissingRoutes = () => Promise<readonly MissingRoute[]>

export type RoutesOptions = {
  readonly sns: SNSClient
  readonly topicArn: (name: string) => Promise<string>
  readonly mailbox: Pick<Mailbox, 'depth'>
  /** Who hears what, without the deployment's prefix: `topology('')`. */
  readonly subscribers: Topology['subscribers']
  readonly prefix: string
}

const GONE = /^(NotFound|NotFoundException|QueueDoesNotExist)$/
const isGone = (error: unknown): boolean => error instanceof Error && GONE.test(error.name)

/** The queues that are subscribed to a topic; undefined where there is no such topic. */
const subscribedQueues = async (sns: SNSClient, TopicArn: string): Promise<ReadonlySet<string> | undefined> => {
  const queues = new Set<string>()
  let NextToken: string | undefined
  try {
    do {
      const page = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn, ...(NextToken === undefined ? {} : { NextToken }) }))
      for (const { Endpoint } of page.Subscriptions ?? []) queues.add(Endpoint?.split(':').at(-1) ?? '')
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    return queues
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Looks whether events can come to those who hear them: a request a topic, and one an event queue. */
export const findMissingRoutes = ({ sns, topicArn, mailbox, subscribers, prefix }: RoutesOptions): FindMissingRoutes => {
  const topics = [...new Set(subscribers.flatMap(h => h.subscriptions.map(s => s.topic)))]
  const missingAt = async (topic: string): Promise<MissingRoute[]> => {
    const queues = await subscribedQueues(sns, await topicArn(topic))
    if (!queues) return [{ name: `topic ${topic}`, topic, queue: null }]
    return subscribers.flatMap(({ queue, subscriptions }) =>
      subscriptions.some(s => s.topic === topic) && !queues.has(`${prefix}${queue}`)
        ? [{ name: `subscription ${topic} -> ${queue}`, topic, queue }]
        : [],
    )
  }
  const missingQueue = async (queue: string): Promise<MissingRoute[]> => {
    try {
      await mailbox.depth(queue)
      return []
    } catch (error) {
      if (isGone(error)) return [{ name: `queue ${queue}`, topic: null, queue }]
      throw error
    }
  }
  return async () => (await Promise.all([...topics.map(missingAt), ...subscribers.map(h => missingQueue(h.queue))])).flat()
}
