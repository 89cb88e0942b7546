import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { errorMessage } from '../errors/error-message.ts'
import { transactItem } from './expressions.ts'
import { spoken } from './keys.ts'
import { ConditionLost, Conflict, type StoreWrite, Unstorable } from './port.ts'
import { isTooLarge, tooLarge } from './values.ts'
import { placeOf } from './writes.ts'

const CONFLICTS = new Set(['TransactionConflictException', 'TransactionInProgressException'])

/** What an error of DynamoDB means for the writes of a commit; throttling, and what it has no word for, stays as it is. */
const meaning = (error: unknown, writes: readonly StoreWrite[]): unknown => {
  if (!(error instanceof Error)) return error
  const places = writes.map(placeOf)
  const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []
  const of = (code: string) => places.filter((_, i) => reasons[i]?.Code === code)

  if (error.name === 'ConditionalCheckFailedException') return new ConditionLost(places)
  if (of('ConditionalCheckFailed').length > 0) return new ConditionLost(of('ConditionalCheckFailed'))
  if (CONFLICTS.has(error.name) || of('TransactionConflict').length > 0) return new Conflict(error.message, { cause: error })

  const refused = [error.message, ...reasons.map(r => r.Message ?? '')].some(text => /item size (to update )?has exceeded/i.test(text))
  if (!refused) {
    const invalid = error.name === 'ValidationException' || of('ValidationError').length > 0
    return invalid ? new Unstorable(`cannot write ${places.map(spoken).join(', ')}: ${error.message}`, { cause: error }) : error
  }
  const large = writes.filter(w => 'put' in w && isTooLarge(w.put)).map(placeOf)
  const named = of('ValidationError')
  return Object.assign(tooLarge(named.length > 0 ? named : large.length > 0 ? large : places), { cause: error })
}

const entryOf = (prefix: string, write: StoreWrite, now: number): TransactWriteItem => {
  try {
    return transactItem(prefix, write, now)
  } catch (cause) {
    throw new Unstorable(`cannot write ${spoken(placeOf(write))}: ${errorMessage(cause)}`, { cause })
  }
}

/**
 * Commits writes that were checked. A transaction carries a token, so a try whose answer was lost and the next one count once; so does an `add` alone,
 * which would otherwise add twice. A single conditional put whose answer was lost loses its condition against itself: the caller reads
 * the item again and finds its own.
 */
export const commitTo = async (client: DynamoDBClient, prefix: string, writes: readonly StoreWrite[], now: number): Promise<void> => {
  const [first] = writes
  const TransactItems = writes.map(write => entryOf(prefix, write, now))
  const [item] = TransactItems
  if (!first || !item) return
  try {
    if (writes.length > 1 || 'add' in first || 'check' in first) await client.send(new TransactWriteItemsCommand({ TransactItems }))
    else if (item.Put) await client.send(new PutItemCommand(item.Put))
    else if (item.Update) await client.send(new UpdateItemCommand(item.Update))
    else if (item.Delete) await client.send(new DeleteItemCommand(item.Delete))
  } catch (error) {
    throw meaning(error, writes)
  }
}
