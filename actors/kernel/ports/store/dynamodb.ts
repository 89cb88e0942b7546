import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Place } from '../../../../contracts/declare/records.ts'
import { batcher } from '../aws/batcher.ts'
import type { Clock } from '../clock/port.ts'
import { commitTo } from './commit.ts'
import type { Attributes } from './expressions.ts'
import { checkKey } from './keys.ts'
import type { Item, Store } from './port.ts'
import { batchGet, itemOf, queryRange } from './reads.ts'
import { checked, isExpired } from './writes.ts'
export type DynamoStoreOptions = {
  readonly client: DynamoDBClient
  /** The deployment's, before the names of tables. */
  readonly prefix: string
  readonly clock?: Pick<Clock, 'now'>
  /** BatchGets under way at once before reads are gathered; default 4. */
  readonly lanes?: number
}

/** DynamoDB's own limit of a BatchGetItem. */
const KEYS_A_REQUEST = 100

/**
 * State in DynamoDB, in tables with the keys `pk` and `sk`. Errors of the engine come as the SDK throws them once its tries are used up,
 * except that lost conditions, conflicts of transactions and items that are too large are told as the port says.
 */
export const dynamoStore = ({ client, prefix, clock = { now: Date.now }, lanes = 4 }: DynamoStoreOptions): Store => {
  const read = batcher<Place, Attributes | undefined>({
    count: KEYS_A_REQUEST,
    concurrency: lanes,
    flush: places => batchGet(client, prefix, places),
  })
  const get = async (place: Place): Promise<Item | undefined> => {
    checkKey(place)
    const attributes = await read(place)
    // Each caller gets an item of its own, also those who shared a read.
    const item = attributes && itemOf(attributes)
    return item && !isExpired(item, clock.now()) ? item : undefined
  }
  return {
    get: places => Promise.all(places.map(get)),
    query: async range => {
      checkKey({ pk: range.pk })
      return queryRange(client, prefix, range, clock.now)
    },
    commit: async writes => commitTo(client, prefix, checked(writes), clock.now()),
  }
}
