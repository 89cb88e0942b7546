import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** Asks once a name, and again after a failure: a queue may be made while a worker waits for it. */
const remembered = (ask: (name: string) => Promise<string>): ((name: string) => Promise<string>) => {
  const known = new Map<string, Promise<string>>()
  return name => {
    const found = known.get(name)
    if (found) return found
    const asked = ask(name)
    known.set(name, asked)
    asked.catch(() => known.delete(name))
    return asked
  }
}

export type QueueUrl = (name: string) => Promise<string>
export type TopicArn = (name: string) => Promise<string>

/**
 * The URLs of queues by their names without the deployment's prefix.
 * @throws QueueDoesNotExist, with the queue's full name
 */
export const queueUrls = (sqs: SQSClient, prefix: string): QueueUrl =>
  remembered(async name => {
    const queue = `${prefix}${name}`
    try {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }))
      if (QueueUrl === undefined) throw new Error(`SQS gave no URL for the queue ${queue}`)
      return QueueUrl
    } catch (error) {
      if (error instanceof Error && error.name === 'QueueDoesNotExist')
        error.message = `the queue ${queue} does not exist: is it provisioned?`
      throw error
    }
  })

/**
 * The ARNs of topics by their names without the deployment's prefix. They lie in the region and account of the mesh's queues, so the ARN of one of
 * them tells, and a worker needs no right beyond those to its own queue.
 * @param queue a queue that the worker may ask about, e.g. `posts.fifo`
 */
export const topicArns = (sqs: SQSClient, prefix: string, queue: string, queueUrl: QueueUrl = queueUrls(sqs, prefix)): TopicArn => {
  const home = remembered(async name => {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: await queueUrl(name), AttributeNames: ['QueueArn'] }))
    const [arn, partition, service, region, account] = Attributes?.QueueArn?.split(':') ?? []
    if (arn !== 'arn' || service !== 'sqs' || !region || !account) throw new Error(`SQS gave no ARN for the queue ${prefix}${name}`)
    return `arn:${partition}:sns:${region}:${account}:`
  })
  return async name => `${await home(queue)}${prefix}${name}`
}
