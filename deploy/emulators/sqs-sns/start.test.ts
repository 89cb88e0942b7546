import { once } from 'node:events'
import { connect } from 'node:net'
import { CreateTopicCommand, PublishBatchCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SqsSns, startSqsSns } from './start.ts'

const account = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }

let engine: SqsSns
let sqs: SQSClient
let sns: SNSClient
let queues = 0

beforeAll(async () => {
  engine = await startSqsSns()
  sqs = new SQSClient({ ...account, endpoint: engine.endpoint })
  sns = new SNSClient({ ...account, endpoint: engine.endpoint })
})

afterAll(async () => {
  sqs.destroy()
  sns.destroy()
  await engine.close()
})

async function createQueue(fifo: boolean, attributes: Record<string, string> = {}): Promise<string> {
  queues += 1
  const name = `queue-${queues}${fifo ? '.fifo' : ''}`
  const created = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { ...(fifo && { FifoQueue: 'true' }), ...attributes } }),
  )
  return created.QueueUrl ?? ''
}

async function send(queue: string, group: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    const MessageDeduplicationId = Buffer.from(body, 'utf16le').toString('base64url')
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body, MessageGroupId: group, MessageDeduplicationId }))
  }
}

async function receive(queue: string, options: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const asked = {
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 0,
    MessageSystemAttributeNames: ['All' as const],
    MessageAttributeNames: ['All'],
  }
  return (await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, ...asked, ...options }))).Messages ?? []
}

const bodies = (messages: Message[]): (string | undefined)[] => messages.map(message => message.Body)

const remove = (queue: string, message: Message | undefined) =>
  sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: message?.ReceiptHandle }))

describe('addresses', () => {
  test('a queue lies on the endpoint and keeps the form of an AWS address and ARN', async () => {
    const queue = await createQueue(false)
    const name = queue.slice(queue.lastIndexOf('/') + 1)
    expect(queue).toBe(`${engine.endpoint}/000000000000/${name}`)
    expect((await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl).toBe(queue)
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toContain(queue)
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] }))
    expect(Attributes?.QueueArn).toBe(`arn:aws:sqs:us-east-1:000000000000:${name}`)
  })

  test('an unknown queue is an error the SDK names', async () => {
    await expect(receive(`${engine.endpoint}/000000000000/missing`)).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
  })

  test('creating a queue again answers the same one', async () => {
    const queue = await createQueue(true, { VisibilityTimeout: '10' })
    const QueueName = queue.slice(queue.lastIndexOf('/') + 1)
    const again = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true', VisibilityTimeout: '10' } }))
    expect(again.QueueUrl).toBe(queue)
  })
})

describe('a FIFO queue', () => {
  test('keeps order in a group, and holds a group back while one of it is in flight', async () => {
    const queue = await createQueue(true)
    await send(queue, 'a', 'a1', 'a2', 'a3')
    await send(queue, 'b', 'b1')
    const seen: (string | undefined)[] = []
    const first = await receive(queue)
    expect(bodies(first)).toContain('a1')
    expect(bodies(first)).toContain('b1')
    expect(await receive(queue)).toEqual([])
    for (let batch = first; batch.length > 0; batch = await receive(queue)) {
      expect(new Set(batch.map(message => message.Attributes?.MessageGroupId)).size).toBe(batch.length)
      seen.push(...bodies(batch.filter(message => message.Attributes?.MessageGroupId === 'a')))
      for (const message of batch) await remove(queue, message)
    }
    expect(seen).toEqual(['a1', 'a2', 'a3'])
  })

  test('gives an unacknowledged message again, before its followers, when its time is over', async () => {
    const queue = await createQueue(true, { VisibilityTimeout: '1' })
    await send(queue, 'a', 'a1', 'a2')
    const [first] = await receive(queue)
    const [again] = await receive(queue, { WaitTimeSeconds: 10 })
    expect(again?.Body).toBe('a1')
    expect(again?.MessageId).toBe(first?.MessageId)
    expect(again?.Attributes?.ApproximateReceiveCount).toBe('2')
    // The stale handle removes nothing; the new one does.
    await expect(remove(queue, first)).rejects.toMatchObject({ name: 'InvalidParameterValue' })
    await remove(queue, again)
    expect(bodies(await receive(queue))).toEqual(['a2'])
  })

  test('gives a message again at once when its visibility is set to nothing, and later when it is extended', async () => {
    const queue = await createQueue(true, { VisibilityTimeout: '1' })
    await send(queue, 'a', 'a1', 'a2')
    const [first] = await receive(queue)
    const change = (message: Message | undefined, seconds: number) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: seconds }))
    await change(first, 0)
    const [again] = await receive(queue)
    expect(again?.Body).toBe('a1')
    await change(again, 600)
    // Longer than the queue's own second: what was extended stays hidden, and its group with it.
    expect(await receive(queue, { WaitTimeSeconds: 2 })).toEqual([])
    await expect(change(first, 5)).rejects.toMatchObject({ name: 'MessageNotInflight' })
  })

  test('takes a message with a known deduplication id once, also after it was handled', async () => {
    const queue = await createQueue(true)
    const entry = (id: string, dedup: string) => ({
      Id: id,
      MessageBody: `${id} ${dedup}`,
      MessageGroupId: 'g',
      MessageDeduplicationId: dedup,
    })
    const sent = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: queue, Entries: [entry('0', 'x'), entry('1', 'x'), entry('2', 'y')] }),
    )
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['0', '1', '2'])
    expect(sent.Successful?.[1]?.MessageId).toBe(sent.Successful?.[0]?.MessageId)
    for (const expected of ['0 x', '2 y']) {
      const batch = await receive(queue)
      expect(bodies(batch)).toEqual([expected])
      await remove(queue, batch[0])
    }
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries: [entry('0', 'x')] }))
    expect(await receive(queue)).toEqual([])
  })

  test('one repeated entry id fails the whole batch', async () => {
    const queue = await createQueue(true)
    const entry = { Id: '0', MessageBody: 'b', MessageGroupId: 'g', MessageDeduplicationId: 'd' }
    const repeated = sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries: [entry, entry] }))
    await expect(repeated).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinct' })
    expect(await receive(queue)).toEqual([])
  })

  test('removes a batch of messages of several groups', async () => {
    const queue = await createQueue(true)
    for (const group of ['a', 'b', 'c']) await send(queue, group, `${group}1`, `${group}2`)
    const batch = await receive(queue)
    expect(bodies(batch).sort()).toEqual(['a1', 'b1', 'c1'])
    const Entries = batch.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }))
    const removed = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue, Entries }))
    expect(removed.Successful).toHaveLength(3)
    expect(bodies(await receive(queue)).sort()).toEqual(['a2', 'b2', 'c2'])
  })

  test('tells what the kernel reads: counts, times, group, attributes', async () => {
    const queue = await createQueue(true)
    const before = Date.now()
    const attributes = { redriven: { DataType: 'String', StringValue: 'ünï' }, n: { DataType: 'Number', StringValue: '7' } }
    const message = {
      QueueUrl: queue,
      MessageBody: '{"é":1}',
      MessageGroupId: 'g',
      MessageDeduplicationId: 'd',
      MessageAttributes: attributes,
    }
    await sqs.send(new SendMessageCommand(message))
    const [got] = await receive(queue)
    expect(got?.Body).toBe('{"é":1}')
    expect(got?.MessageAttributes).toEqual(attributes)
    expect(got?.Attributes).toMatchObject({ ApproximateReceiveCount: '1', MessageGroupId: 'g', MessageDeduplicationId: 'd' })
    expect(got?.Attributes?.SequenceNumber).toMatch(/^\d{20}$/)
    expect(Number(got?.Attributes?.SentTimestamp)).toBeGreaterThanOrEqual(before)
    expect(Number(got?.Attributes?.ApproximateFirstReceiveTimestamp)).toBeGreaterThanOrEqual(before)
  })

  test('takes the characters that AWS takes, and no others', async () => {
    const queue = await createQueue(true)
    await send(queue, 'g', 'emoji 😀, \u{10ffff}, \ufffd, \t\r\n')
    expect(bodies(await receive(queue))).toEqual(['emoji 😀, \u{10ffff}, \ufffd, \t\r\n'])
    for (const foreign of ['\u0000', '\u001f', '\ud800', '\uffff']) {
      await expect(send(queue, 'h', `a${foreign}b`)).rejects.toMatchObject({ name: expect.stringContaining('InvalidMessageContents') })
    }
  })

  test('answers no message attributes to a request that names none, as AWS does', async () => {
    const queue = await createQueue(true)
    const MessageAttributes = { a: { DataType: 'String', StringValue: 'b' } }
    await sqs.send(
      new SendMessageCommand({ QueueUrl: queue, MessageBody: 'm', MessageGroupId: 'g', MessageDeduplicationId: 'd', MessageAttributes }),
    )
    const [got] = await receive(queue, { MessageAttributeNames: [] })
    expect(got?.Body).toBe('m')
    expect(got?.MessageAttributes).toBeUndefined()
  })
})

describe('a long poll', () => {
  test('waits on when another poll took the message', async () => {
    const queue = await createQueue(true)
    const polls = [0, 1, 2].map(async poll => ({ poll, got: bodies(await receive(queue, { WaitTimeSeconds: 20 })) }))
    const open = new Map(polls.map((poll, at) => [at, poll]))
    for (const body of ['m1', 'm2', 'm3']) {
      await send(queue, body, body)
      const done = await Promise.race(open.values())
      expect(done.got).toEqual([body])
      open.delete(done.poll)
    }
  })

  test('waits on when the new message is behind one in flight, and gets it when that one is removed', async () => {
    const queue = await createQueue(true)
    await send(queue, 'a', 'a1')
    const [first] = await receive(queue)
    const poll = receive(queue, { WaitTimeSeconds: 20 })
    await send(queue, 'a', 'a2')
    await remove(queue, first)
    expect(bodies(await poll)).toEqual(['a2'])
  })

  test('answers empty when its time is over', async () => {
    const queue = await createQueue(false)
    expect(await receive(queue, { WaitTimeSeconds: 1 })).toEqual([])
  })

  test('of a client that is gone keeps no message', async () => {
    const queue = await createQueue(true, { VisibilityTimeout: '600' })
    const { port, host } = new URL(engine.endpoint)
    const body = JSON.stringify({ QueueUrl: queue, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 })
    const head = [`POST / HTTP/1.1`, `host: ${host}`, 'content-type: application/x-amz-json-1.0', 'x-amz-target: AmazonSQS.ReceiveMessage']
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    // Answered after the poll was read, because it was written later.
    await receive(queue)
    socket.destroy()
    await once(socket, 'close')
    await receive(queue)
    await send(queue, 'a', 'a1')
    expect(bodies(await receive(queue, { WaitTimeSeconds: 10 }))).toEqual(['a1'])
  })
})

const ALLOW_TOPICS = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }

describe('a topic', () => {
  async function topicWithQueue(FilterPolicy: object): Promise<{ topic: string | undefined; queue: string }> {
    const queue = await createQueue(false, { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [ALLOW_TOPICS] }) })
    const name = queue.slice(queue.lastIndexOf('/') + 1)
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `events-${name}` }))
    expect(TopicArn).toBe(`arn:aws:sns:us-east-1:000000000000:events-${name}`)
    const Endpoint = `arn:aws:sqs:us-east-1:000000000000:${name}`
    const Attributes = { RawMessageDelivery: 'true', FilterPolicy: JSON.stringify(FilterPolicy) }
    const subscription = { TopicArn, Protocol: 'sqs', Endpoint, Attributes, ReturnSubscriptionArn: true }
    const first = await sns.send(new SubscribeCommand(subscription))
    expect((await sns.send(new SubscribeCommand(subscription))).SubscriptionArn).toBe(first.SubscriptionArn)
    return { topic: TopicArn, queue }
  }

  const typed = (type: string) => ({ type: { DataType: 'String', StringValue: type } })

  test('delivers raw what the filter wants, with its attributes', async () => {
    const { topic, queue } = await topicWithQueue({ type: ['post.published', { prefix: 'user.' }] })
    for (const type of ['post.published', 'post.liked', 'user.erased']) {
      await sns.send(new PublishCommand({ TopicArn: topic, Message: `{"type":"${type}"}`, MessageAttributes: typed(type) }))
    }
    const got = await receive(queue)
    expect(bodies(got)).toEqual(['{"type":"post.published"}', '{"type":"user.erased"}'])
    expect(got.map(message => message.MessageAttributes)).toEqual([typed('post.published'), typed('user.erased')])
  })

  test('takes a batch, answers by entry, filters each entry', async () => {
    const { topic, queue } = await topicWithQueue({ type: ['keep'] })
    const entry = (Id: string, type: string) => ({ Id, Message: `${Id} ${type} <&>`, MessageAttributes: typed(type) })
    const entries = [entry('0', 'keep'), entry('1', 'drop'), entry('2', 'keep')]
    const answer = await sns.send(new PublishBatchCommand({ TopicArn: topic, PublishBatchRequestEntries: entries }))
    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['0', '1', '2'])
    expect(answer.Failed ?? []).toEqual([])
    expect(bodies(await receive(queue))).toEqual(['0 keep <&>', '2 keep <&>'])
  })

  test('refuses a batch that AWS refuses', async () => {
    const { topic } = await topicWithQueue({ type: ['keep'] })
    const publish = (entries: { Id: string; Message: string }[]) =>
      sns.send(new PublishBatchCommand({ TopicArn: topic, PublishBatchRequestEntries: entries }))
    const eleven = Array.from({ length: 11 }, (_, at) => ({ Id: String(at), Message: 'm' }))
    await expect(publish(eleven)).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequestException' })
    const twice = [
      { Id: '0', Message: 'm' },
      { Id: '0', Message: 'n' },
    ]
    await expect(publish(twice)).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinctException' })
    const large = [
      { Id: '0', Message: 'm'.repeat(200_000) },
      { Id: '1', Message: 'm'.repeat(100_000) },
    ]
    await expect(publish(large)).rejects.toMatchObject({ name: 'BatchRequestTooLongException' })
    await expect(publish([])).rejects.toMatchObject({ name: 'EmptyBatchRequestException' })
  })

  test('refuses a FIFO queue, as AWS does on a standard topic', async () => {
    const { topic } = await topicWithQueue({ type: ['keep'] })
    const queue = 'arn:aws:sqs:us-east-1:000000000000:queue-1.fifo'
    const subscribed = sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: queue }))
    await expect(subscribed).rejects.toMatchObject({ name: 'InvalidParameterException' })
  })
})

describe('the server', () => {
  test('closes while polls wait, and its port is free again', async () => {
    const short = await startSqsSns()
    const client = new SQSClient({ ...account, endpoint: short.endpoint, maxAttempts: 1 })
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'q' }))
    const polls = [0, 1].map(() => client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })))
    await client.send(new GetQueueUrlCommand({ QueueName: 'q' }))
    const ended = Promise.allSettled(polls)
    await short.close()
    await ended
    client.destroy()
    const again = await startSqsSns({ port: Number(new URL(short.endpoint).port) })
    expect(again.endpoint).toBe(short.endpoint)
    await again.close()
  })

  test('says so when the port is taken', async () => {
    await expect(startSqsSns({ port: Number(new URL(engine.endpoint).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('listens on loopback only', () => {
    expect(new URL(engine.endpoint).hostname).toBe('127.0.0.1')
  })
})
