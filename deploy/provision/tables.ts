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
import { AWS_PACE, isNamed, type Pace, pauseBefore, retry } from './retry.ts'

const TTL = 'expiresAt'
/** A table that is in another state than these and ACTIVE does not get there by itself. */
const PASSING: ReadonlySet<string | undefined> = new Set([undefined, 'CREATING', 'UPDATING', 'DELETING'])
/** The table changes, by another run or still from being made; or it is so new that not all of DynamoDB knows it. */
const isChanging = (error: unknown): boolean =>
  isNamed(error, 'ResourceInUseException', 'ResourceNotFoundException', 'TableNotFoundException', 'ContinuousBackupsUnavailableException')

type Home = { readonly client: DynamoDBClient; readonly pace: Pace }

const describe = ({ client, pace }: Home, TableName: string): Promise<TableDescription | undefined> =>
  retry(pace, `the table ${TableName} cannot be described`, async () => {
    try {
      return (await client.send(new DescribeTableCommand({ TableName }))).Table
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return undefined
      throw error
    }
  })

/** @returns false when there is one of that name already, be it on its way in or out */
const create = ({ client, pace }: Home, TableName: string): Promise<boolean> =>
  retry(pace, `the table ${TableName} cannot be made`, async () => {
    try {
      await client.send(
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
      return true
    } catch (error) {
      if (isNamed(error, 'ResourceInUseException')) return false
      throw error
    }
  })

/** Makes the table unless it is there, again when it is being deleted, and waits until it is active. */
const ensureActive = async (home: Home, name: string): Promise<{ readonly table: TableDescription; readonly made: boolean }> => {
  const until = performance.now() + home.pace.readyWithinMs
  let made = false
  for (let attempt = 0; ; attempt++) {
    const table = await describe(home, name)
    if (table?.TableStatus === 'ACTIVE') return { table, made }
    if (!PASSING.has(table?.TableStatus) || performance.now() > until)
      throw new Error(`the table ${name} is ${table?.TableStatus ?? 'not there'} after ${home.pace.readyWithinMs / 1000} s`)
    if (table === undefined && (await create(home, name))) made = true
    else await pauseBefore(attempt)
  }
}

const expiry = async ({ client, pace }: Home, TableName: string, made: boolean): Promise<string[]> => {
  const what = `the expiry of the table ${TableName} cannot be set`
  const describing = () => client.send(new DescribeTimeToLiveCommand({ TableName }))
  const now = made ? undefined : (await retry(pace, what, describing, isChanging)).TimeToLiveDescription
  if (now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING') {
    if (now.AttributeName === TTL) return []
    throw new Error(`the table ${TableName} expires items by ${now.AttributeName}, not by ${TTL}: disable that first`)
  }
  const TimeToLiveSpecification = { AttributeName: TTL, Enabled: true }
  const setting = async () => {
    try {
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
    } catch (error) {
      // Another run was faster.
      if (!(isNamed(error, 'ValidationException') && error.message.includes('already enabled'))) throw error
    }
  }
  await retry(pace, what, setting, isChanging)
  return [`items expire by ${TTL}`]
}

const recovery = async ({ client, pace }: Home, TableName: string): Promise<string[]> => {
  const what = `point-in-time recovery of the table ${TableName} cannot be turned on`
  const turnOn = async (): Promise<string[]> => {
    const { ContinuousBackupsDescription: now } = await client.send(new DescribeContinuousBackupsCommand({ TableName }))
    if (now?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED') return []
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true }
    await client.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }))
    return ['point-in-time recovery']
  }
  // For a while after a table is active, DynamoDB still sets its backups up and takes no change of them.
  return retry(pace, what, turnOn, isChanging)
}

const provisionTable = async (home: Home, name: string, production: boolean): Promise<Done> => {
  const { table, made } = await ensureActive(home, name)
  const keys = (table.KeySchema ?? []).map(key => `${key.AttributeName} ${key.KeyType}`).join(', ')
  if (keys !== 'pk HASH, sk RANGE') throw new Error(`the table ${name} is another one: its key is ${keys}, not pk HASH, sk RANGE`)
  const expires = await expiry(home, name, made)
  const recovers = production ? await recovery(home, name) : []
  return done('table', name, !made, [...expires, ...recovers])
}

/**
 * Tables with string keys `pk` and `sk`, billed by request, whose items go at `expiresAt`; with point-in-time recovery in production.
 * Resolves when all are active.
 */
export const provisionTables = (
  client: DynamoDBClient,
  names: readonly string[],
  production: boolean,
  pace: Pace = AWS_PACE,
): Promise<Done[]> => Promise.all(names.map(name => provisionTable({ client, pace }, name, production)))
