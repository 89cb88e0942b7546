import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CreateTableCommand, DescribeTableCommand, DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import {
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns'
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clients, openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { queueUrls, topicArns } from '../../actors/kernel/ports/aws/names.ts'
import type { Topology } from '../../contracts/derive/topology.ts'
import { mesh } from '../../contracts/mesh.ts'
import { meshFile } from '../embedded/mesh-file.ts'
import { startDynamoDb } from '../emulators/dynamodb/server.ts'
import { startSqsSns } from '../emulators/sqs-sns/start.ts'
import { provision } from './main.ts'
import { EMBEDDED_PACE } from './retry.ts'

let clients: Clients
let close: () => Promise<void>
let endpoints: { AWS_ENDPOINT_URL: string; AWS_ENDPOINT_URL_DYNAMODB: string }

beforeAll(async () => {
  const [dynamodb, messaging] = await Promise.all([startDynamoDb(), startSqsSns()])
  endpoints = { AWS_ENDPOINT_URL: messaging.endpoint, AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint }
  clients = openClients({ AWS_REGION: 'us-east-1', EMBEDDED: true, ...endpoints })
  close = async () => {
    clients.close()
    await Promise.all([dynamodb.close(), messaging.close()])
  }
})
afterAll(() => close())

let prefixes = 0
const freshPrefix = () => `test${++prefixes}-`
const run = (prefix: string, of: Topology = mesh.topology(prefix)) => provision({ clients, topology: of, pace: EMBEDDED_PACE })
const did = (report: Awaited<ReturnType<typeof provision>>, what: string) => report.filter(d => d.did === what).map(d => d.name)

const attributes = async (prefix: string, name: string): Promise<Record<string, string | undefined>> => {
  const QueueUrl = await queueUrls(clients.sqs, prefix)(name)
  return (await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {}
}
const subscriptions = async (TopicArn: string) =>
  (await clients.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions ?? []
const arnOf = (prefix: string, topic: string) => topicArns(clients.sqs, prefix, 'posts.fifo')(topic)

describe('the first run', () => {
  test('makes all that the topology names, ready for use', async () => {
    const prefix = freshPrefix()
    const wanted = mesh.topology(prefix)
    const report = await run(prefix)
    expect(new Set(report.map(d => d.did))).toEqual(new Set(['created']))
    const names = (kind: string) => report.filter(d => d.kind === kind).map(d => d.name)
    expect(names('table')).toEqual(wanted.tables)
    expect(names('topic')).toEqual(wanted.topics.map(t => t.topic))
    expect(names('queue').sort()).toEqual([...wanted.mailboxes, ...wanted.subscribers].flatMap(q => [q.queue, q.dead]).sort())
    expect(names('subscription').sort()).toEqual(
      wanted.subscribers.flatMap(h => h.subscriptions.map(s => `${s.topic} -> ${h.queue}`)).sort(),
    )
    for (const TableName of wanted.tables) {
      const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName }))
      expect(Table).toMatchObject({ TableStatus: 'ACTIVE', BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } })
      const { TimeToLiveDescription } = await clients.dynamodb.send(new DescribeTimeToLiveCommand({ TableName }))
      expect(TimeToLiveDescription).toEqual({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' })
    }
  })

  test('gives mailboxes order, a short visibility and dead letters that keep it', async () => {
    const prefix = freshPrefix()
    await run(prefix)
    const mailbox = await attributes(prefix, 'posts.fifo')
    const dead = await attributes(prefix, 'posts-dead.fifo')
    expect(mailbox).toMatchObject({
      FifoQueue: 'true',
      ContentBasedDeduplication: 'false',
      VisibilityTimeout: '10',
      MessageRetentionPeriod: String(4 * 86_400),
    })
    expect(dead).toMatchObject({ FifoQueue: 'true', MessageRetentionPeriod: String(14 * 86_400) })
    expect(JSON.parse(mailbox.RedrivePolicy ?? '')).toEqual({ deadLetterTargetArn: dead.QueueArn, maxReceiveCount: 1000 })
  })

  test('lets an event reach who hears it, raw, and nobody else', async () => {
    const prefix = freshPrefix()
    await run(prefix)
    const { subscriptions: heard = [], queue = '' } = mesh.topology(prefix).subscribers[0] ?? {}
    const from = heard[0]
    const type = from?.types[0] ?? ''
    const TopicArn = await arnOf(prefix, from?.topic.slice(prefix.length) ?? '')
    for (const StringValue of ['nobody.hears', type])
      await clients.sns.send(
        new PublishCommand({
          TopicArn,
          Message: `{"type":"${StringValue}"}`,
          MessageAttributes: { type: { DataType: 'String', StringValue } },
        }),
      )
    const QueueUrl = await queueUrls(clients.sqs, '')(queue)
    const { Messages } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }))
    expect(Messages?.map(m => m.Body)).toEqual([`{"type":"${type}"}`])
    const events = await attributes('', queue)
    expect(events).toMatchObject({ VisibilityTimeout: '30', MessageRetentionPeriod: String(4 * 86_400) })
    expect(events.FifoQueue ?? 'false').toBe('false')
    const [statement] = JSON.parse(events.Policy ?? '').Statement
    expect(statement).toMatchObject({ Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: events.QueueArn })
    expect(statement.Condition.ArnEquals['aws:SourceArn']).toContain(TopicArn)
  })
})

describe('a further run', () => {
  test('changes nothing', async () => {
    const prefix = freshPrefix()
    const first = await run(prefix)
    const second = await run(prefix)
    expect(second.map(d => d.name)).toEqual(first.map(d => d.name))
    expect(second.filter(d => d.did !== 'kept')).toEqual([])
  })

  test('at the same time as another one does no harm', async () => {
    const prefix = freshPrefix()
    await Promise.all([run(prefix), run(prefix)])
    expect(did(await run(prefix), 'kept')).toHaveLength((await run(prefix)).length)
  })

  test('sets right what somebody changed, and says what', async () => {
    const prefix = freshPrefix()
    await run(prefix)
    const QueueUrl = await queueUrls(clients.sqs, prefix)('posts.fifo')
    await clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '600' } }))
    const changed = (await run(prefix)).filter(d => d.did !== 'kept')
    expect(changed).toEqual([{ kind: 'queue', name: `${prefix}posts.fifo`, did: 'changed', changes: ['VisibilityTimeout 600 -> 10'] }])
    expect((await attributes(prefix, 'posts.fifo')).VisibilityTimeout).toBe('10')
  })

  test('follows a filter that changed, of the declaration or by hand', async () => {
    const prefix = freshPrefix()
    const wanted = mesh.topology(prefix)
    const hearing = wanted.subscribers[0]
    const heard = hearing?.subscriptions[0]
    if (!hearing || !heard) throw new Error('the mesh hears nothing')
    const before = {
      ...wanted,
      subscribers: wanted.subscribers.map(h =>
        h === hearing ? { ...h, subscriptions: [{ ...heard, types: ['user.renamed-once'] }, ...h.subscriptions.slice(1)] } : h,
      ),
    }
    await run(prefix, before)
    const report = await run(prefix)
    expect(did(report, 'changed')).toEqual([`${heard.topic} -> ${hearing.queue}`])
    const topic = await arnOf(prefix, heard.topic.slice(prefix.length))
    const own = (await subscriptions(topic)).find(s => s.Endpoint?.endsWith(`:${hearing.queue}`))
    const SubscriptionArn = own?.SubscriptionArn
    const now = async () => (await clients.sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes ?? {}
    expect(JSON.parse((await now()).FilterPolicy ?? '')).toEqual({ type: heard.types })
    await clients.sns.send(
      new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue: 'false' }),
    )
    expect(did(await run(prefix), 'changed')).toEqual([`${heard.topic} -> ${hearing.queue}`])
    expect(await now()).toMatchObject({ RawMessageDelivery: 'true' })
  })

  test('ends what is not heard any more, and leaves others’ subscriptions alone', async () => {
    const prefix = freshPrefix()
    const wanted = mesh.topology(prefix)
    await run(prefix)
    const [gone, ...rest] = wanted.subscribers
    const heard = gone?.subscriptions[0]
    if (!gone || !heard) throw new Error('the mesh hears nothing')
    const TopicArn = await arnOf(prefix, heard.topic.slice(prefix.length))
    await clients.sqs.send(new CreateQueueCommand({ QueueName: `other-${prefix}audit` }))
    const audit = `arn:aws:sqs:us-east-1:000000000000:other-${prefix}audit`
    await clients.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: audit }))
    const report = await run(prefix, { ...wanted, subscribers: rest })
    expect(did(report, 'removed').sort()).toEqual(gone.subscriptions.map(s => `${s.topic} -> ${gone.queue}`).sort())
    const left = (await subscriptions(TopicArn)).map(s => s.Endpoint)
    expect(left).toContain(audit)
    expect(left.some(endpoint => endpoint?.endsWith(`:${gone.queue}`))).toBe(false)
  })
})

describe('provisioning', () => {
  test('for production turns point-in-time recovery on, once', async () => {
    const prefix = freshPrefix()
    const recovering = new Set<string>()
    const asked: string[] = []
    // The embedded DynamoDB has no backups: this one answers for them and passes the rest on.
    const withBackups = createServer(async (request, response) => {
      const body = await text(request)
      const target = String(request.headers['x-amz-target'])
      const { TableName } = JSON.parse(body)
      response.setHeader('content-type', 'application/x-amz-json-1.0').setHeader('x-amzn-requestid', 'r')
      if (!target.endsWith('ContinuousBackups')) {
        const headers = Object.fromEntries(
          Object.entries(request.headers).filter(([name]) => /^(x-amz-|authorization|content-type)/.test(name)),
        )
        const answer = await fetch(endpoints.AWS_ENDPOINT_URL_DYNAMODB, {
          method: 'POST',
          headers: headers as Record<string, string>,
          body,
        })
        return response.writeHead(answer.status).end(await answer.text())
      }
      if (target.endsWith('.UpdateContinuousBackups')) {
        expect(JSON.parse(body).PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true })
        asked.push(TableName)
        recovering.add(TableName)
      }
      const PointInTimeRecoveryStatus = recovering.has(TableName) ? 'ENABLED' : 'DISABLED'
      const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus }
      response.end(JSON.stringify({ ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription } }))
    })
    withBackups.listen(0, '127.0.0.1')
    await once(withBackups, 'listening')
    const { port } = withBackups.address() as AddressInfo
    const through = openClients({
      AWS_REGION: 'us-east-1',
      EMBEDDED: true,
      ...endpoints,
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
    })
    const inProduction = () => provision({ clients: through, topology: mesh.topology(prefix), production: true, pace: EMBEDDED_PACE })
    try {
      await inProduction()
      expect(asked.sort()).toEqual([...mesh.topology(prefix).tables].sort())
      expect((await inProduction()).filter(d => d.did !== 'kept')).toEqual([])
      expect(asked).toHaveLength(mesh.topology(prefix).tables.length)
    } finally {
      through.close()
      withBackups.closeAllConnections()
      withBackups.close()
    }
  })

  test('refuses a table of that name that is another one', async () => {
    const prefix = freshPrefix()
    await clients.dynamodb.send(
      new CreateTableCommand({
        TableName: `${prefix}kernel`,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    )
    await expect(run(prefix)).rejects.toThrow(`the table ${prefix}kernel is another one: its key is id HASH, not pk HASH, sk RANGE`)
  })

  test('runs from the command line and prints what it did', async () => {
    const prefix = freshPrefix()
    const script = fileURLToPath(new URL('./main.ts', import.meta.url))
    const env = { PREFIX: prefix, EMBEDDED: 'true', ...endpoints }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { env })
    expect(stdout).toMatch(new RegExp(`^created +table +${prefix}users$`, 'm'))
    expect(stdout).toMatch(/^\d+ created, 0 changed, 0 removed, 0 kept$/m)
  })

  test('finds the mesh that runs in a directory, and puts back what is missing there', async () => {
    const prefix = freshPrefix()
    await run(prefix)
    const directory = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
    const file = meshFile(directory)
    const nowhere = { url: '', stream: '', operations: '' }
    await file.put({ ...nowhere, pid: process.pid, processes: [], config: { PREFIX: prefix, ...endpoints } })
    const { Subscriptions: [one] = [] } = await clients.sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: await arnOf(prefix, 'users') }),
    )
    await clients.sns.send(new UnsubscribeCommand({ SubscriptionArn: one?.SubscriptionArn }))
    const script = fileURLToPath(new URL('../embedded/provision-main.ts', import.meta.url))
    const provisioned = (data: string) => promisify(execFile)(process.execPath, ['--import', 'tsx', script, '--data', data], { env: {} })
    const { stdout } = await provisioned(directory)
    expect(stdout).toContain(`The mesh in ${directory}`)
    expect(stdout).toMatch(/^1 created, 0 changed, 0 removed, \d+ kept$/m)
    await file.remove()
    await expect(provisioned(directory)).rejects.toThrow(/no mesh runs in/)
    await rm(directory, { recursive: true })
  })
})

describe('names', () => {
  test('of a queue that is not there say which, and are asked for again', async () => {
    const prefix = freshPrefix()
    const url = queueUrls(clients.sqs, prefix)
    await expect(url('posts.fifo')).rejects.toThrow(`the queue ${prefix}posts.fifo does not exist`)
    await run(prefix)
    expect(await url('posts.fifo')).toMatch(new RegExp(`/${prefix}posts\\.fifo$`))
    expect(await topicArns(clients.sqs, prefix, 'posts.fifo')('users')).toBe(`arn:aws:sns:us-east-1:000000000000:${prefix}users`)
  })
})
