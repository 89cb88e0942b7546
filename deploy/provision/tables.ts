import { setTimeout as pause } from 'node:timers/promises'
import {
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { type Done, done } from './report.ts'

/** AWS takes some ten seconds. */
const ACTIVE_WITHIN_MS = 120_000
const TTL = 'expiresAt'

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name

const describe = async (client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> => {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }))).Table
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined
    throw error
  }
}

const create = async (client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> => {
  try {
    const created = await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    )
    return created.TableDescription
  } catch (error) {
    // Another run makes it at the same time.
    if (isNamed(error, 'ResourceInUseException')) return undefined
    throw error
  }
}

const active = async (client: DynamoDBClient, name: string): Promise<TableDescription> => {
  const until = performance.now() + ACTIVE_WITHIN_MS
  for (let wait = 5; ; wait = Math.min(wait * 2, 1_000)) {
    const table = await describe(client, name)
    if (table?.TableStatus === 'ACTIVE') return table
    if (performance.now() > until)
      throw new Error(`the table ${name} is ${table?.TableStatus ?? 'not there'} after ${ACTIVE_WITHIN_MS / 1000} s`)
    await pause(wait)
  }
}

const expiry = async (client: DynamoDBClient, TableName: string, existed: boolean): Promise<string[]> => {
  const now = existed ? (await client.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription : undefined
  if (now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING') {
    if (now.AttributeName === TTL) return []
    throw new Error(`the table ${TableName} expires items by ${now.AttributeName}, not by ${TTL}: disable that first`)
  }
  try {
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: TTL, Enabled: true } }))
  } catch (error) {
    // Another run was faster.
    if (!(isNamed(error, 'ValidationException') && String(error).includes('already enabled'))) throw error
  }
  return [`items expire by ${TTL}`]
}

const recovery = async (client: DynamoDBClient, TableName: string): Promise<string[]> => {
  const { ContinuousBackupsDescription: now } = await client.send(new DescribeContinuousBackupsCommand({ TableName }))
  if (now?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED') return []
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true }
  await client.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }))
  return ['point-in-time recovery']
}

const provisionTable = async (client: DynamoDBClient, name: string, production: boolean): Promise<Done> => {
  const before = await describe(client, name)
  const now = before ?? (await create(client, name))
  const { KeySchema = [] } = now?.TableStatus === 'ACTIVE' ? now : await active(client, name)
  const keys = KeySchema.map(key => `${key.AttributeName} ${key.KeyType}`).join(', ')
  if (keys !== 'pk HASH, sk RANGE') throw new Error(`the table ${name} is another one: its key is ${keys}, not pk HASH, sk RANGE`)
  const changes = await Promise.all([expiry(client, name, before !== undefined), production ? recovery(client, name) : []])
  return done('table', name, before !== undefined, changes.flat())
}

/**
 * Tables with string keys `pk` and `sk`, billed by request, whose items go at `expiresAt`; with point-in-time recovery in production.
 * Resolves when all are active.
 */
export const provisionTables = (client: DynamoDBClient, names: readonly string[], production: boolean): Promise<Done[]> =>
  Promise.all(names.map(name => provisionTable(client, name, production)))
