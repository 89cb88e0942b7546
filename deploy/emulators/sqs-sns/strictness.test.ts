import {
  CreateTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SqsSns, startSqsSns } from './start.ts'

const account = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
const FIFO = { FifoQueue: 'true' }
let engine: SqsSns
let sqs: SQSClient
let sns: SNSClient
let made = 0

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

const create = async (QueueName: string, Attributes: Record<string, string> = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? ''
const standard = (attributes?: Record<string, string>) => create(`s${++made}`, attributes)
const fifo = (attributes: Record<string, string> = {}) => create(`f${++made}.fifo`, { ...FIFO, ...attributes })
const arnOf = (url: string) => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').at(-1)}`
const receive = async (QueueUrl: string, VisibilityTimeout = 30): Promise<Message[]> =>
  (
    await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
    )
  ).Messages ?? []
const refuses = async (request: Promise<unknown>, name: string | RegExp, message = /./) =>
  expect(request).rejects.toMatchObject({ name: expect.stringMatching(name), message: expect.stringMatching(message) })

describe('a new queue', () => {
  const names: [string, Record<string, string>][] = [
    ['n'.repeat(81), {}],
    [`${'n'.repeat(76)}.fifo`, FIFO],
    ['a.b', {}],
    ['a b', {}],
    ['ü', {}],
    ['no-attribute.fifo', {}],
    ['a.b.fifo', FIFO],
    ['not-so-named', FIFO],
  ]
  test.each(names)('is not called %s with %j', (name, attributes) => refuses(create(name, attributes), 'InvalidParameterValue'))
  test('is called by 80 characters, suffix included', async () => {
    await create('n'.repeat(80))
    await create(`${'N_-'.repeat(25)}.fifo`, FIFO)
  })
  test('is not FIFO by a no', () => refuses(standard({ FifoQueue: 'false' }), 'InvalidAttributeName', /Unknown Attribute FifoQueue/))
  test('has throughput by group only with deduplication by group', async () => {
    const FifoThroughputLimit = 'perMessageGroupId'
    await refuses(fifo({ FifoThroughputLimit, DeduplicationScope: 'queue' }), 'InvalidAttributeValue')
    await refuses(fifo({ FifoThroughputLimit }), 'InvalidAttributeValue')
    await fifo({ FifoThroughputLimit, DeduplicationScope: 'messageGroup' })
  })
  test('sends its dead letters to a queue of its own kind that is there, after 1 to 1,000 receives', async () => {
    const [of, dead, deadFifo] = [await standard(), await standard(), await fifo()]
    const policy = (url: string, maxReceiveCount: unknown) => ({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(url), maxReceiveCount }),
    })
    const wrong = [
      policy(deadFifo, 1),
      policy('/missing', 1),
      policy(dead, 0),
      policy(dead, 1_001),
      policy(dead, 'x'),
      { RedrivePolicy: 'no JSON' },
    ]
    for (const attributes of wrong) {
      await refuses(standard(attributes), 'InvalidParameterValue', /RedrivePolicy/)
      await refuses(
        sqs.send(new SetQueueAttributesCommand({ QueueUrl: of, Attributes: attributes })),
        'InvalidParameterValue',
        /RedrivePolicy/,
      )
    }
    await refuses(fifo(policy(dead, 1)), 'InvalidParameterValue', /same type/)
    await standard(policy(dead, 1_000))
    await fifo(policy(deadFifo, '5'))
  })
})

describe('a message', () => {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  const attributes = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, text('v')]))
  const wrong: [string, object][] = [
    ['a group of 129', { MessageGroupId: 'g'.repeat(129) }],
    ['a group with a space', { MessageGroupId: 'a b' }],
    ['a group with an umlaut', { MessageGroupId: 'gr\u00fcn' }],
    ['an id of 129', { MessageDeduplicationId: 'd'.repeat(129) }],
    ['an id with a space', { MessageDeduplicationId: 'a b' }],
    ['an id with an umlaut', { MessageDeduplicationId: 'gr\u00fcn' }],
    ['11 attributes', { MessageAttributes: attributes(11) }],
    ['an empty attribute', { MessageAttributes: { a: text('') } }],
    ['an attribute of AWS', { MessageAttributes: { 'AWS.x': text('v') } }],
    ['an attribute of Amazon', { MessageAttributes: { 'amazon.x': text('v') } }],
    ['an attribute with two dots', { MessageAttributes: { 'a..b': text('v') } }],
    ['an attribute with a space', { MessageAttributes: { 'a b': text('v') } }],
  ]
  const message = (id: string, more: object) => ({ MessageBody: id, MessageGroupId: id, MessageDeduplicationId: id, ...more })
  test.each(wrong)('with %s is refused, alone and in a batch', async (_, more) => {
    const QueueUrl = await fifo()
    await refuses(sqs.send(new SendMessageCommand({ QueueUrl, ...message('m', more) })), 'InvalidParameterValue')
    const Entries = [message('before', {}), message('wrong', more), message('behind', {})].map((entry, at) => ({
      ...entry,
      Id: String(at),
    }))
    const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    expect(Successful?.map(s => s.Id)).toEqual(['0', '2'])
    expect(Failed).toMatchObject([{ Id: '1', SenderFault: true, Code: 'InvalidParameterValue' }])
    const alone = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: Entries.slice(1, 2) }))
    expect([alone.Successful, alone.Failed?.map(f => f.Id)]).toEqual([[], ['1']])
    expect((await receive(QueueUrl)).map(m => m.Body).sort()).toEqual(['before', 'behind'])
  })
  test('with ten attributes, and all characters of ASCII in its ids, is taken', async () => {
    const QueueUrl = await fifo()
    const all = String.fromCharCode(...Array.from({ length: 94 }, (_, n) => 33 + n)).padEnd(128, 'x')
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'b',
        MessageGroupId: all,
        MessageDeduplicationId: all,
        MessageAttributes: attributes(10),
      }),
    )
    expect((await receive(QueueUrl))[0]?.Attributes).toMatchObject({ MessageGroupId: all, MessageDeduplicationId: all })
  })
  test('in a batch is named by 80 characters at most', async () => {
    const QueueUrl = await standard()
    const batch = (Id: string) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id, MessageBody: 'b' }] }))
    for (const id of ['i'.repeat(81), 'a#b', '\u00fc']) await refuses(batch(id), /InvalidBatchEntryId/)
    await batch('i'.repeat(80))
  })
  test('is a repeat in its queue or in its group, as the queue says', async () => {
    for (const [DeduplicationScope, arriving] of [
      ['messageGroup', 2],
      ['queue', 1],
    ] as const)
      for (const content of ['true', 'false']) {
        const QueueUrl = await fifo({ DeduplicationScope, ContentBasedDeduplication: content })
        const entry = (Id: string) => ({
          Id,
          MessageBody: 'b',
          MessageGroupId: `g${Id[0]}`,
          ...(content === 'true' ? {} : { MessageDeduplicationId: 'same' }),
        })
        await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: ['1', '2', '1x', '2x'].map(entry) }))
        await sqs.send(new SendMessageCommand({ QueueUrl, ...entry('1') }))
        const got = await receive(QueueUrl)
        expect(got.map(m => m.Body)).toHaveLength(arriving)
        if (content === 'false') expect(new Set(got.map(m => m.Attributes?.MessageDeduplicationId))).toEqual(new Set(['same']))
        for (const { ReceiptHandle } of got) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
        expect(await receive(QueueUrl)).toEqual([])
      }
  })
})

describe('a receipt handle', () => {
  const taken = async (QueueUrl: string, visibility?: number) => {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'b',
        ...(QueueUrl.endsWith('.fifo') ? { MessageGroupId: 'g', MessageDeduplicationId: 'd' } : {}),
      }),
    )
    return (await receive(QueueUrl, visibility))[0]?.ReceiptHandle ?? ''
  }
  const remove = (QueueUrl: string, ReceiptHandle: string) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
  const hide = (QueueUrl: string, ReceiptHandle: string, VisibilityTimeout: number) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }))

  test('that was made up, or is another queue’s, is refused', async () => {
    const QueueUrl = await standard()
    const own = await taken(QueueUrl)
    const foreign = await taken(await standard())
    for (const handle of ['made-up', '01980000-0000-4000-8000-000000000000', `${own}x`, foreign]) {
      await refuses(remove(QueueUrl, handle), 'ReceiptHandleIsInvalid')
      await refuses(hide(QueueUrl, handle, 5), 'ReceiptHandleIsInvalid')
    }
    const Entries = [own, 'made-up'].map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }))
    const hidden = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: Entries.map(e => ({ ...e, VisibilityTimeout: 5 })) }),
    )
    const removed = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    for (const { Successful, Failed } of [hidden, removed]) {
      expect(Successful?.map(s => s.Id)).toEqual(['0'])
      expect(Failed).toMatchObject([{ Id: '1', Code: 'ReceiptHandleIsInvalid', SenderFault: true }])
    }
    // Deleting what is deleted already is fine.
    await remove(QueueUrl, own)
  })

  test('of a FIFO queue expires with the visibility, that of a standard queue does not', async () => {
    for (const QueueUrl of [await fifo(), await standard()]) {
      const handle = await taken(QueueUrl)
      await hide(QueueUrl, handle, 0)
      if (QueueUrl.endsWith('.fifo')) await refuses(remove(QueueUrl, handle), 'InvalidParameterValue', /receipt handle has expired/)
      else await remove(QueueUrl, handle)
      const again = (await receive(QueueUrl))[0]?.ReceiptHandle ?? ''
      if (QueueUrl.endsWith('.fifo')) await refuses(remove(QueueUrl, handle), 'InvalidParameterValue', /receipt handle has expired/)
      await remove(QueueUrl, again)
      await remove(QueueUrl, again)
    }
  })

  test('hides its message for 12 hours in all', async () => {
    const QueueUrl = await standard()
    const handle = await taken(QueueUrl)
    await hide(QueueUrl, handle, 43_000)
    await refuses(hide(QueueUrl, handle, 43_201), 'InvalidParameterValue')
    await expect
      .poll(
        () =>
          hide(QueueUrl, handle, 43_200).then(
            () => 'hidden',
            (error: Error) => `${error.name}: ${error.message}`,
          ),
        { timeout: 10_000 },
      )
      .toMatch(/InvalidParameterValue: .*Total VisibilityTimeout/)
  })
})

describe('a topic', () => {
  const topic = async () => (await sns.send(new CreateTopicCommand({ Name: `t${++made}` }))).TopicArn ?? ''
  const subscribe = async (TopicArn: string, queue: string, Attributes: Record<string, string> = {}) =>
    (await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arnOf(queue), Attributes, ReturnSubscriptionArn: true })))
      .SubscriptionArn
  const policyFor = (queue: string, source: string) => ({
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: arnOf(queue),
    Condition: { ArnEquals: { 'aws:SourceArn': [source] } },
  })
  const setPolicy = (QueueUrl: string, Statement: unknown) =>
    sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } }))
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })

  test('takes no empty attribute', async () => {
    const TopicArn = await topic()
    const MessageAttributes = { full: text('v'), empty: text('') }
    await refuses(
      sns.send(new PublishCommand({ TopicArn, Message: 'm', MessageAttributes })),
      /ParameterValue/,
      /'empty' must contain non-empty/,
    )
    const PublishBatchRequestEntries = [{ Id: '1', Message: 'm', MessageAttributes }]
    await refuses(sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries })), /ParameterValue/)
  })
  test('takes no batch ids with other characters, or too long ones', async () => {
    const TopicArn = await topic()
    for (const Id of ['a#b', 'a b', 'i'.repeat(81)])
      await refuses(
        sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id, Message: 'm' }] })),
        /InvalidBatchEntryId/,
      )
  })
  const policies: [string, string][] = [
    [JSON.stringify(Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map(name => [name, ['v']]))), 'more than 5 keys'],
    ['no JSON', 'failed to parse JSON'],
    ['["a"]', 'failed to parse JSON'],
    ['{"type":"post.published"}', 'must be an object or an array'],
    ['{"type":[]}', 'Empty arrays'],
  ]
  test.each(policies)('takes no filter policy %s', async (FilterPolicy, why) => {
    const [TopicArn, queue] = [await topic(), await standard()]
    await refuses(subscribe(TopicArn, queue, { FilterPolicy }), /InvalidParameter/, new RegExp(why))
    const SubscriptionArn = await subscribe(TopicArn, queue)
    const set = new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: 'FilterPolicy', AttributeValue: FilterPolicy })
    await refuses(sns.send(set), /InvalidParameter/, new RegExp(why))
  })
  test('takes no filter scope but the two', async () => {
    const SubscriptionArn = await subscribe(await topic(), await standard())
    const set = (AttributeValue: string) =>
      sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: 'FilterPolicyScope', AttributeValue }))
    await refuses(set('nonsense'), /InvalidParameter/, /MessageBody or MessageAttributes/)
    for (const scope of ['MessageBody', 'MessageAttributes']) await set(scope)
  })
  test('has no FIFO queue subscribed to it when it is a standard one', async () =>
    refuses(subscribe(await topic(), await fifo()), /InvalidParameter/))

  test('delivers only to queues whose policy lets it', async () => {
    const [TopicArn, other, queue] = [await topic(), await topic(), await standard()]
    await subscribe(TopicArn, queue, { RawMessageDelivery: 'true' })
    const arrives = async (Message: string) => {
      await sns.send(new PublishCommand({ TopicArn, Message }))
      await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: '0', Message }] }))
      return (await receive(queue)).length
    }
    expect(await arrives('without a policy')).toBe(0)
    await setPolicy(queue, [policyFor(queue, other)])
    expect(await arrives('the policy of another topic')).toBe(0)
    await setPolicy(queue, [{ ...policyFor(queue, TopicArn), Resource: 'arn:aws:sqs:us-east-1:000000000000:other' }])
    expect(await arrives('the policy of another queue')).toBe(0)
    await setPolicy(queue, [{ ...policyFor(queue, TopicArn), Action: 'sqs:ReceiveMessage' }])
    expect(await arrives('the right to something else')).toBe(0)
    await setPolicy(queue, [policyFor(queue, TopicArn), { ...policyFor(queue, TopicArn), Effect: 'Deny' }])
    expect(await arrives('denied')).toBe(0)
    await setPolicy(queue, [policyFor(queue, TopicArn)])
    expect(await arrives('allowed')).toBe(2)
    await setPolicy(queue, { ...policyFor(queue, ''), Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:*:*' } } })
    expect(await arrives('allowed by a pattern')).toBe(2)
  })

  test('drops what has more attributes than a raw message may have', async () => {
    const [TopicArn, queue] = [await topic(), await standard()]
    await setPolicy(queue, [policyFor(queue, TopicArn)])
    await subscribe(TopicArn, queue, { RawMessageDelivery: 'true' })
    for (const count of [10, 11]) {
      const MessageAttributes = Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, text('v')]))
      await sns.send(new PublishCommand({ TopicArn, Message: String(count), MessageAttributes }))
    }
    expect((await receive(queue)).map(m => m.Body)).toEqual(['10'])
  })
})
