import getItem from 'dynalite/actions/getItem.js'
import db, { type Answer } from 'dynalite/db/index.js'
import validation from 'dynalite/validations/getItem.js'
import type { Custom } from 'dynalite/validations/index.js'
import { runNow } from './actions.ts'
import { conflicting } from './cancellation.ts'
import { capacities } from './capacity.ts'
import { check, checkInner } from './check.ts'
import { keyOf } from './commit.ts'
import type { Engine } from './dynalite.ts'
import { itemSize } from './item-size.ts'
import { overlay } from './overlay.ts'
import { transactGet as schema } from './schemas.ts'
import { MAX_BYTES, placeAll, wrongCount } from './transaction.ts'

/**
 * TransactGetItems: all items from one snapshot, so that of a transaction it sees everything or nothing.
 * `conflict` makes it answer as if a transaction were under way on the first item.
 */
export function transactGet(engine: Engine, conflict: () => boolean) {
  const { store, level } = engine
  return async (body: unknown): Promise<Answer> => {
    const { TransactItems = [], ReturnConsumedCapacity } = check(body, schema, checkItems, store)
    const capacity = ReturnConsumedCapacity ? { ReturnConsumedCapacity, ConsistentRead: true } : {}
    const placed = placeAll(
      engine,
      TransactItems.flatMap(({ Get }) => (Get ? [{ ...Get, ...capacity }] : [])),
    )
    if (conflict()) throw conflicting(placed.length)
    const items = await level.getMany(placed.map(keyOf))
    const bytes = items.reduce((sum, item) => sum + (item ? itemSize(item) : 0), 0)
    if (bytes > MAX_BYTES) throw db.validationError(`Payload in response is too large. ${bytes}`)
    const answers = placed.map((place, i) => runNow(getItem, overlay(store, place, items[i], []), place.request))
    return {
      Responses: answers.map(({ Item }) => (Item ? { Item } : {})),
      ...capacities({ ReturnConsumedCapacity }, answers, 2, 'ReadCapacityUnits'),
    }
  }
}

const checkItems: Custom = ({ TransactItems: items = [] }, store) => {
  const wrong = wrongCount(items)
  if (wrong) return wrong
  for (const { Get: get } of items) {
    if (!get)
      return "1 validation error detected: Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member must not be null"
    checkInner(validation.custom, get, store)
  }
}
