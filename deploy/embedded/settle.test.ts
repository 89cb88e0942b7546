import { CreateQueueCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SqsSns, startSqsSns } from '../emulators/sqs-sns/start.ts'
import { settle } from './settle.ts'

let engine: SqsSns
let sqs: SQSClient
let QueueUrl: string | undefined
beforeEach(async () => {
  engine = await startSqsSns()
  sqs = new SQSClient({ endpoint: engine.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
  QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'posts-events' }))).QueueUrl
  await sqs.send(new CreateQueueCommand({ QueueName: 'posts-events-dead' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }))
})
afterEach(async () => {
  sqs.destroy()
  await engine.close()
})

test('waits until the queues are empty', async () => {
  const settled = settle(engine.endpoint, ['posts-events'], 30_000)
  await sqs.send(new PurgeQueueCommand({ QueueUrl }))
  expect(await settled).toEqual([])
})

test('says what is left, in flight too, when the time is over; other queues do not count', async () => {
  expect(await settle(engine.endpoint, ['posts-events-dead'], 30_000)).toEqual([])
  await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  expect(await settle(engine.endpoint, ['posts-events'], 0)).toEqual([{ queue: 'posts-events', messages: 1 }])
})

test('does not wait for an engine that is gone', async () => {
  await engine.close()
  expect(await settle(engine.endpoint, ['posts-events'], 30_000)).toEqual([])
})
