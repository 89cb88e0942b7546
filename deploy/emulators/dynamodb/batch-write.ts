import db, { type Answer, type Request } from 'dynalite/db/index.js'
import batchWriteItem from 'dynalite/validations/batchWriteItem.js'
import { capacities } from './capacity.ts'
import { check, checkItemSize } from './check.ts'
import { type Commit, keyOf, place, type Write } from './commit.ts'
import type { Engine } from './dynalite.ts'
import { isRefusal, messageOf } from './errors.ts'

/** BatchWriteItem. The service promises each item for itself; here the batch goes down as a whole, which costs one write instead of up to 25. */
export function batchWrite(engine: Engine, commit: Commit) {
  return async (body: unknown): Promise<Answer> => {
    const request = check(body, batchWriteItem.types, batchWriteItem.custom, engine.store)
    const shared = request.ReturnConsumedCapacity ? { ReturnConsumedCapacity: request.ReturnConsumedCapacity } : {}
    const writes = Object.entries(request.RequestItems ?? {}).flatMap(([TableName, requests]) =>
      requests.map(({ PutRequest: put, DeleteRequest: remove }) => {
        checkItemSize(put ?? {}, engine.store)
        return put
          ? placed(engine, 'Put', { TableName, Item: put.Item, ...shared })
          : placed(engine, 'Delete', { TableName, Key: remove?.Key ?? {}, ...shared })
      }),
    )
    if (new Set(writes.map(keyOf)).size < writes.length) throw db.validationError('Provided list of item keys contains duplicates')
    const answers = (await commit(writes)).map(outcome => {
      if ('error' in outcome) throw outcome.error
      return outcome.answer
    })
    return { UnprocessedItems: {}, ...capacities(request, answers, 1) }
  }
}

function placed(engine: Engine, kind: 'Put' | 'Delete', request: Request): Write {
  try {
    return { ...place(engine, request), kind }
  } catch (error) {
    // The service says of a batch only this much.
    const vague = isRefusal(error) && /Missing the key|Type mismatch for key/.test(messageOf(error))
    throw vague ? db.validationError('The provided key element does not match the schema') : error
  }
}
