import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTablesCommand,
  QueryCommand,
  ScanCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { invalid, invalidButForWitness, refused } from './refused.ts'
import { type Case, get, key, n, put, putAll, type Subject, s, tableOf, transact } from './subject.ts'

const setTtl = ({ client, table: TableName }: Subject, AttributeName: string, Enabled: boolean) =>
  client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled } }))
const ttl = async ({ client, table: TableName }: Subject) =>
  (await client.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription

/** Every table, page by page. */
const listTables = async (client: Subject['client'], from?: string): Promise<string[]> => {
  const page = await client.send(new ListTablesCommand(from === undefined ? {} : { ExclusiveStartTableName: from }))
  const { TableNames = [], LastEvaluatedTableName: last } = page
  return last === undefined ? TableNames : [...TableNames, ...(await listTables(client, last))]
}

/** Tables, their time-to-live setting, batches and ranges. */
export const tables: Case[] = [
  {
    name: 'a table is created once, listed, described and deleted with all it held',
    async run(t) {
      const { client, table: TableName } = t
      expect(await refused(client.send(new CreateTableCommand(tableOf(TableName))))).toMatchObject({ name: 'ResourceInUseException' })
      expect(await listTables(client)).toContain(TableName)
      expect((await client.send(new DescribeTableCommand({ TableName }))).Table).toMatchObject({
        TableStatus: 'ACTIVE',
        KeySchema: tableOf(TableName).KeySchema,
      })
      await transact(t, [put(t, { ...key('a'), author: s('ann'), posted: n(1) })])
      await client.send(new DeleteTableCommand({ TableName }))
      expect(await refused(get(t, key('a')))).toMatchObject({ name: 'ResourceNotFoundException' })
      await client.send(new CreateTableCommand(tableOf(TableName)))
      expect(await get(t, key('a'))).toBeUndefined()
      expect((await client.send(new ScanCommand({ TableName, IndexName: 'by-author' }))).Items).toEqual([])
    },
  },
  {
    name: 'time to live is set, told and taken back; a table made again starts without',
    async run(t) {
      expect(await ttl(t)).toEqual({ TimeToLiveStatus: 'DISABLED' })
      await setTtl(t, 'expires', true)
      expect(await ttl(t)).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' })
      await invalidButForWitness(t, setTtl(t, 'expires', true), /already enabled/)
      await invalidButForWitness(t, setTtl(t, 'other', true), /different AttributeName/)
      await setTtl(t, 'expires', false)
      await invalidButForWitness(t, setTtl(t, 'expires', false), /already disabled/)
      await setTtl(t, 'other', true)
      await t.client.send(new DeleteTableCommand({ TableName: t.table }))
      expect(await refused(ttl(t))).toMatchObject({ name: 'ResourceNotFoundException' })
      await t.client.send(new CreateTableCommand(tableOf(t.table)))
      expect(await ttl(t)).toEqual({ TimeToLiveStatus: 'DISABLED' })
    },
  },
  {
    name: 'a batch writes and reads many, refuses doubles and keys that do not fit',
    async run(t) {
      await putAll(
        t,
        Array.from({ length: 30 }, (_, i) => ({ ...key(`${i}`), n: n(i) })),
      )
      const Keys = Array.from({ length: 31 }, (_, i) => key(`${i}`))
      const { Responses } = await t.client.send(new BatchGetItemCommand({ RequestItems: { [t.table]: { Keys, ConsistentRead: true } } }))
      expect(Responses?.[t.table]?.map(item => Number(item.n?.N)).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 30 }, (_, i) => i),
      )
      const write = (...requests: NonNullable<ConstructorParameters<typeof BatchWriteItemCommand>[0]['RequestItems']>[string]) =>
        t.client.send(new BatchWriteItemCommand({ RequestItems: { [t.table]: requests } }))
      await invalid(write({ PutRequest: { Item: key('a') } }, { DeleteRequest: { Key: key('a') } }), /duplicates/)
      await invalid(write({ PutRequest: { Item: key('a') } }, { PutRequest: { Item: { pk: n(1), sk: s('x') } } }))
      expect(await get(t, key('a'))).toBeUndefined()
    },
  },
  {
    name: 'a range is read in order, by prefix and between, page by page, filtered after counting',
    async run(t) {
      const names = ['a', 'ab', 'abc', 'b', 'ba', 'é', '~', 'Z']
      await putAll(
        t,
        names.map(sk => ({ ...key('words', sk), size: n(sk.length) })),
      )
      const query = async (condition: string, values: Record<string, string>, more: object = {}) => {
        const ExpressionAttributeValues = {
          ':pk': s('words'),
          ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, s(value)])),
        }
        return t.client.send(
          new QueryCommand({ TableName: t.table, KeyConditionExpression: `pk = :pk${condition}`, ExpressionAttributeValues, ...more }),
        )
      }
      const words = async (...args: Parameters<typeof query>) => (await query(...args)).Items?.map(item => item.sk?.S)
      expect(await words('', {})).toEqual(['Z', 'a', 'ab', 'abc', 'b', 'ba', '~', 'é'])
      expect(await words(' AND begins_with(sk, :p)', { ':p': 'ab' })).toEqual(['ab', 'abc'])
      expect(await words(' AND sk BETWEEN :a AND :b', { ':a': 'ab', ':b': 'b' }, { ScanIndexForward: false })).toEqual(['b', 'abc', 'ab'])
      expect(await words(' AND sk > :a', { ':a': 'b' })).toEqual(['ba', '~', 'é'])
      const page = await query('', {}, { Limit: 3 })
      expect(page).toMatchObject({ Count: 3, LastEvaluatedKey: key('words', 'ab') })
      expect(await words('', {}, { ExclusiveStartKey: page.LastEvaluatedKey })).toEqual(['abc', 'b', 'ba', '~', 'é'])
      const filtered = await query('', { ':p': 'never' }, { FilterExpression: 'begins_with(words, :p)' })
      expect(filtered).toMatchObject({ Count: 0, ScannedCount: 8 })
    },
  },
]
