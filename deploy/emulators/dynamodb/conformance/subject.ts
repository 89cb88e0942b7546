import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb'

export type Item = Record<string, AttributeValue>

/** A DynamoDB under test, seen through the SDK as every client sees it, with one table that nobody else uses. */
export interface Subject {
  /** Where the two differ, a case expects of each what it does; its name tells the difference. */
  engine: 'embedded' | 'ministack'
  client: DynamoDBClient
  table: string
}

export interface Case {
  name: string
  run(subject: Subject): Promise<void>
}

/** One attempt a request: a retry would hide what these cases look at. */
export const connect = (endpoint: string, credentials = { accessKeyId: 'local', secretAccessKey: 'local' }): DynamoDBClient =>
  new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })

/** `pk`, `sk`; by-author (author, posted) with everything; by-kind (kind) with keys only; by-score (pk, score) local. */
export const tableOf = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: keys('pk', 'sk'),
  AttributeDefinitions: [
    ...['pk', 'sk', 'author', 'kind'].map(AttributeName => ({ AttributeName, AttributeType: 'S' as const })),
    ...['posted', 'score'].map(AttributeName => ({ AttributeName, AttributeType: 'N' as const })),
  ],
  GlobalSecondaryIndexes: [
    { IndexName: 'by-author', KeySchema: keys('author', 'posted'), Projection: { ProjectionType: 'ALL' } },
    { IndexName: 'by-kind', KeySchema: keys('kind'), Projection: { ProjectionType: 'KEYS_ONLY' } },
  ],
  LocalSecondaryIndexes: [{ IndexName: 'by-score', KeySchema: keys('pk', 'score'), Projection: { ProjectionType: 'ALL' } }],
})

function keys(hash: string, range?: string): CreateTableCommandInput['KeySchema'] {
  const first = { AttributeName: hash, KeyType: 'HASH' as const }
  return range === undefined ? [first] : [first, { AttributeName: range, KeyType: 'RANGE' as const }]
}

let tables = 0

/** A subject with a table of its own. */
export async function prepare(engine: Subject['engine'], client: DynamoDBClient): Promise<Subject> {
  const table = `conformance-${process.pid}-${++tables}`
  await client.send(new CreateTableCommand(tableOf(table)))
  return { engine, client, table }
}

export const s = (text: string): AttributeValue => ({ S: text })
export const n = (number: number): AttributeValue => ({ N: String(number) })
export const key = (pk: string, sk = 'x'): Item => ({ pk: s(pk), sk: s(sk) })

/** Actions on the subject's table, as a transaction takes them. */
export const put = ({ table }: Subject, Item: Item, more: Partial<NonNullable<TransactWriteItem['Put']>> = {}): TransactWriteItem => ({
  Put: { TableName: table, Item, ...more },
})
export const remove = ({ table }: Subject, Key: Item): TransactWriteItem => ({ Delete: { TableName: table, Key } })
export const update = ({ table }: Subject, Key: Item, UpdateExpression: string, ExpressionAttributeValues: Item): TransactWriteItem => ({
  Update: { TableName: table, Key, UpdateExpression, ExpressionAttributeValues },
})
export const add = (t: Subject, Key: Item, amount: number) => update(t, Key, 'ADD n :amount', { ':amount': n(amount) })
export const exists = ({ table }: Subject, Key: Item): TransactWriteItem => ({
  ConditionCheck: { TableName: table, Key, ConditionExpression: 'attribute_exists(pk)' },
})
export const absent = { ConditionExpression: 'attribute_not_exists(pk)' }

export const transact = ({ client }: Subject, items: TransactWriteItem[], more: Partial<TransactWriteItemsCommandInput> = {}) =>
  client.send(new TransactWriteItemsCommand({ TransactItems: items, ...more }))

export async function get({ client, table }: Subject, Key: Item): Promise<Item | undefined> {
  return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
}

/** Puts items in requests of 25. */
export async function putAll({ client, table }: Subject, items: Item[]): Promise<void> {
  for (let i = 0; i < items.length; i += 25) {
    const requests = items.slice(i, i + 25).map(Item => ({ PutRequest: { Item } }))
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }))
  }
}

/** Every item that an index has under a key, page by page. */
export async function queryIndex(
  { client, table }: Subject,
  index: string,
  attribute: string,
  value: string,
  more: { Limit?: number; ScanIndexForward?: boolean } = {},
) {
  const found: Item[] = []
  let from: Item | undefined
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        IndexName: index,
        KeyConditionExpression: '#attribute = :value',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':value': s(value) },
        ...(from ? { ExclusiveStartKey: from } : {}),
        ...more,
      }),
    )
    found.push(...Items)
    from = LastEvaluatedKey
  } while (from)
  return found
}
