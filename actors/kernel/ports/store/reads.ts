import { setTimeout as pause } from 'node:timers/promises'
import { BatchGetItemCommand, type DynamoDBClient, type KeysAndAttributes, QueryCommand } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { Place } from '../../../../contracts/declare/records.ts'
import type { Outcome } from '../aws/batcher.ts'
import { backOffMs } from '../clock/back-off.ts'
import { type Attributes, toAttributes } from './expressions.ts'
import { byBytes, keyOf, spoken } from './keys.ts'
import type { Item, Range } from './port.ts'
import { isExpired } from './writes.ts'

/** Requests in a row that bring nothing before their items are given up. With the pauses between them, some three seconds. */
const FRUITLESS = 8
const UNPROCESSED_BACK_OFF = { firstMs: 25, maxMs: 25 * 2 ** FRUITLESS }
/** Once a page turned out to hold expired items, further ones ask for some more, lest a long row of them takes a request each. */
const BEYOND_EXPIRED = 50

export const itemOf = (attributes: Attributes): Item => unmarshall(attributes) as Item

const keysOf = (prefix: string, places: Iterable<Place>): Record<string, KeysAndAttributes> => {
  const request: Record<string, KeysAndAttributes & { Keys: Attributes[] }> = {}
  for (const { table, pk, sk } of places) {
    const name = `${prefix}${table}`
    request[name] ??= { Keys: [], ConsistentRead: true }
    request[name].Keys.push({ pk: { S: pk }, sk: { S: sk } })
  }
  return request
}

/**
 * The items at up to 100 places, of any tables, in order. What DynamoDB leaves unread (more than 16 MB, or too much at once) is asked for again;
 * places that it never gets to fail, the others do not.
 */
export const batchGet = async (
  client: DynamoDBClient,
  prefix: string,
  places: readonly Place[],
): Promise<Outcome<Attributes | undefined>[]> => {
  const found = new Map<string, Attributes>()
  let open = keysOf(prefix, new Map(places.map(place => [keyOf(place), place])).values())
  const isOpen = ({ table, pk, sk }: Place) => open[`${prefix}${table}`]?.Keys?.some(key => key.pk?.S === pk && key.sk?.S === sk) ?? false
  for (let fruitless = 0; Object.keys(open).length > 0 && fruitless < FRUITLESS; ) {
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems: open }))
    const before = found.size
    for (const [table, items] of Object.entries(Responses ?? {}))
      for (const item of items) found.set(keyOf({ table: table.slice(prefix.length), pk: item.pk?.S ?? '', sk: item.sk?.S ?? '' }), item)
    open = UnprocessedKeys ?? {}
    fruitless = found.size > before ? 0 : fruitless + 1
    if (Object.keys(open).length > 0 && fruitless < FRUITLESS) await pause(Math.random() * backOffMs(fruitless + 1, UNPROCESSED_BACK_OFF))
  }
  return places.map(place =>
    isOpen(place)
      ? { ok: false, error: new Error(`DynamoDB did not get to ${spoken(place)}: it is throttling`) }
      : { ok: true, value: found.get(keyOf(place)) },
  )
}

/** Where a query begins: DynamoDB refuses a start outside of what is asked for. */
const startOf = ({ prefix, after, reverse }: Range): { readonly sk?: string } | 'beyond' => {
  if (after === undefined) return {}
  if (after.startsWith(prefix)) return { sk: after }
  const before = byBytes(after, prefix) < 0
  return before === (reverse ?? false) ? 'beyond' : {}
}

/** The first `limit` items of a range that do not count as gone. `now`: epoch ms. */
export const queryRange = async (
  client: DynamoDBClient,
  prefix: string,
  range: Range,
  now: () => number,
): Promise<{ items: Item[]; more: boolean }> => {
  const { table, pk, limit, reverse = false } = range
  const items: Item[] = []
  const start = startOf(range)
  if (start === 'beyond') return { items, more: false }
  const begins = range.prefix === '' ? undefined : range.prefix
  let from: Attributes | undefined = start.sk === undefined ? undefined : toAttributes({ pk, sk: start.sk })
  // One more than is wanted tells whether there are more.
  for (let ask = limit + 1; ; ask = limit + 1 - items.length + BEYOND_EXPIRED) {
    const page = await client.send(
      new QueryCommand({
        TableName: `${prefix}${table}`,
        KeyConditionExpression: begins === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :begins)',
        ExpressionAttributeValues: toAttributes({ ':pk': pk, ':begins': begins }),
        ConsistentRead: true,
        ScanIndexForward: !reverse,
        Limit: ask,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    )
    const at = now()
    for (const attributes of page.Items ?? []) {
      const item = itemOf(attributes)
      if (!isExpired(item, at)) items.push(item)
    }
    from = page.LastEvaluatedKey
    if (from === undefined || items.length > limit) return { items: items.slice(0, limit), more: items.length > limit }
  }
}
