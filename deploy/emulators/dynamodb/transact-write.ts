import type { Answer, LevelWrite, Request, TransactItem } from 'dynalite/db/index.js'
import deleteItem from 'dynalite/validations/deleteItem.js'
import type { Custom } from 'dynalite/validations/index.js'
import putItem from 'dynalite/validations/putItem.js'
import updateItem from 'dynalite/validations/updateItem.js'
import { cancelled, conflicting, none, type Reason, reasonFor } from './cancellation.ts'
import { capacities } from './capacity.ts'
import { check, checkInner } from './check.ts'
import type { Commit, Kind, Outcome, Write } from './commit.ts'
import type { Engine } from './dynalite.ts'
import { itemSize } from './item-size.ts'
import { transactWrite as schema } from './schemas.ts'
import type { Tokens } from './tokens.ts'
import { MAX_BYTES, placeAll, wrongCount } from './transaction.ts'

const kinds: readonly Kind[] = ['ConditionCheck', 'Put', 'Delete', 'Update']
const customs = { ConditionCheck: deleteItem.custom, Put: putItem.custom, Delete: deleteItem.custom, Update: updateItem.custom }

/**
 * TransactWriteItems. `conflict` makes it answer as if another transaction were under way on the first item.
 * What only the tables and items can tell (a key of the wrong type, an operand of the wrong type) cancels the transaction with a `ValidationError` for that item, as the
 * API reference has it; what the request alone shows is a ValidationException.
 */
export function transactWrite(engine: Engine, commit: Commit, tokens: Tokens, conflict: () => boolean) {
  return async (body: unknown): Promise<Answer> => {
    const request = check(body, schema, checkItems, engine.store)
    const apply = async (alongside: LevelWrite[]): Promise<Answer> => {
      const writes = placeWrites(engine, request)
      if (conflict()) throw conflicting(writes.length)
      const outcomes = await commit(writes, alongside)
      const answers = outcomes.flatMap(outcome => ('answer' in outcome ? [outcome.answer] : []))
      if (answers.length < outcomes.length) throw cancelled(outcomes.map((outcome, i) => reasonOf(outcome, writes[i])))
      return capacities(request, answers, 2, 'WriteCapacityUnits')
    }
    const token = request.ClientRequestToken
    return token === undefined ? apply([]) : tokens.once(token, sentItems(body), remember => apply([remember]), {})
  }
}

const checkItems: Custom = ({ TransactItems: items = [] }, store) => {
  const wrong = wrongCount(items)
  if (wrong) return wrong
  let payload = 0
  for (const item of items) {
    const [chosen, ...more] = choices(item)
    if (!chosen || more.length > 0) return 'TransactItems can only contain one of Check, Put, Update or Delete'
    const { kind, request } = chosen
    checkInner(customs[kind], request, store)
    payload += itemSize(request.Item ?? request.Key ?? {}) + itemSize(request.ExpressionAttributeValues ?? {})
  }
  if (payload > MAX_BYTES) return `Transaction payload size cannot exceed 4MB. Payload Size: ${payload}`
}

function choices(item: TransactItem): { kind: Kind; request: Request }[] {
  return kinds.flatMap(kind => {
    const request = item[kind]
    return request ? [{ kind, request }] : []
  })
}

function placeWrites(engine: Engine, { TransactItems: items = [], ReturnConsumedCapacity: capacity }: Request): Write[] {
  const chosen = items.flatMap(choices)
  const placed = placeAll(
    engine,
    chosen.map(({ request }) => (capacity ? { ...request, ReturnConsumedCapacity: capacity } : request)),
  )
  return chosen.flatMap(({ kind }, i) => {
    const found = placed[i]
    return found ? [{ ...found, kind }] : []
  })
}

function reasonOf(outcome: Outcome, write: Write | undefined): Reason {
  if ('answer' in outcome) return none
  return reasonFor(outcome.error, write?.request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? outcome.existing : undefined)
}

/** The items as the client sent them; the checked ones carry parsed expressions. */
const sentItems = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'TransactItems' in body ? body.TransactItems : undefined
