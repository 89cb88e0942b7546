import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { invalid } from './conformance/refused.ts'
import { type DynamoDb, startDynamoDb } from './server.ts'

const TableName = 'limits'
const Key = { pk: { S: 'a' } }
let engine: DynamoDb
let client: DynamoDBClient

const createTable = () =>
  client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  )
beforeAll(async () => {
  engine = await startDynamoDb()
  client = new DynamoDBClient({ region: 'us-east-1', endpoint: engine.endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
  await createTable()
})
afterAll(async () => {
  client.destroy()
  await engine.close()
})

/** A value in so many maps and lists, by turns. */
const nested = (levels: number): AttributeValue =>
  Array.from({ length: levels }).reduce<AttributeValue>((value, _, at) => (at % 2 === 0 ? { M: { n: value } } : { L: [value] }), {
    S: 'leaf',
  })

const writes: [string, (value: AttributeValue) => Promise<unknown>][] = [
  ['PutItem', v => client.send(new PutItemCommand({ TableName, Item: { ...Key, v } }))],
  [
    'BatchWriteItem',
    v => client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: { ...Key, v } } }] } })),
  ],
  ['TransactWriteItems', v => client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: { ...Key, v } } }] }))],
  [
    'UpdateItem',
    v => client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': v } })),
  ],
]
test.each(writes)('%s takes values of 32 levels, and no more', async (_, write) => {
  await write(nested(31))
  for (const levels of [32, 33, 100]) await invalid(write(nested(levels)), /Nesting Levels have exceeded supported limits/)
})

/** `SET v = :v` of so many bytes. */
const expression = (bytes: number) => `SET v = :v${' '.repeat(bytes - 10)}`
const update = (UpdateExpression: string) => ({ TableName, Key, UpdateExpression, ExpressionAttributeValues: { ':v': { S: 'v' } } })
test('expressions have at most 4,096 bytes', async () => {
  const single = (bytes: number) => client.send(new UpdateItemCommand(update(expression(bytes))))
  const transacted = (bytes: number) =>
    client.send(new TransactWriteItemsCommand({ TransactItems: [{ Update: update(expression(bytes)) }] }))
  const query = (bytes: number) =>
    client.send(
      new QueryCommand({ TableName, KeyConditionExpression: 'pk = :v'.padEnd(bytes), ExpressionAttributeValues: { ':v': { S: 'a' } } }),
    )
  for (const ask of [single, transacted, query]) {
    await ask(4_096)
    await invalid(ask(4_097), /size has exceeded the maximum allowed size; expression size: 4097/)
  }
})

test('point-in-time recovery is off, can be switched, and is forgotten with its table', async () => {
  const status = async () => {
    const { ContinuousBackupsDescription: all } = await client.send(new DescribeContinuousBackupsCommand({ TableName }))
    return [all?.ContinuousBackupsStatus, all?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus]
  }
  const enable = (PointInTimeRecoveryEnabled: boolean) =>
    client.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled } }))
  expect(await status()).toEqual(['ENABLED', 'DISABLED'])
  const { ContinuousBackupsDescription: on } = await enable(true)
  expect(on?.PointInTimeRecoveryDescription?.EarliestRestorableDateTime).toBeInstanceOf(Date)
  expect(await status()).toEqual(['ENABLED', 'ENABLED'])
  await enable(false)
  expect(await status()).toEqual(['ENABLED', 'DISABLED'])
  await enable(true)
  await client.send(new DeleteTableCommand({ TableName }))
  await expect(status()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  await createTable()
  expect(await status()).toEqual(['ENABLED', 'DISABLED'])
})
