import type { Answer } from 'dynalite/db/index.js'
import deleteItem from 'dynalite/validations/deleteItem.js'
import putItem from 'dynalite/validations/putItem.js'
import updateItem from 'dynalite/validations/updateItem.js'
import { check, checkItemSize } from './check.ts'
import { type Commit, type Kind, place } from './commit.ts'
import type { Engine } from './dynalite.ts'
import { nameOf, refusal } from './errors.ts'
import { onConditionFailure } from './schemas.ts'

const validations = { Put: putItem, Update: updateItem, Delete: deleteItem }

/**
 * PutItem, UpdateItem, DeleteItem. Answers `ReturnValuesOnConditionCheckFailure`, which dynalite ignores.
 * `conflict` makes it answer as if a transaction were under way on the item.
 */
export function singleWrite(engine: Engine, commit: Commit, kind: Exclude<Kind, 'ConditionCheck'>, conflict: () => boolean) {
  const { types, custom } = validations[kind]
  const schema = { ...types, ...onConditionFailure }
  return async (body: unknown): Promise<Answer> => {
    const request = check(body, schema, custom, engine.store)
    checkItemSize(request, engine.store)
    const placed = place(engine, request)
    if (conflict()) throw refusal('TransactionConflictException', { message: 'Transaction is ongoing for the item' })
    const [outcome] = await commit([{ ...placed, kind }])
    if (!outcome) throw new Error('a write came back without an outcome')
    if ('answer' in outcome) return outcome.answer
    const { error, existing } = outcome
    if (existing && request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && nameOf(error) === 'ConditionalCheckFailedException') {
      throw refusal('ConditionalCheckFailedException', { ...error.body, Item: existing })
    }
    throw error
  }
}
