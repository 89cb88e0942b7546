import deleteItem from 'dynalite/actions/deleteItem.js'
import putItem from 'dynalite/actions/putItem.js'
import updateItem from 'dynalite/actions/updateItem.js'
import db, { type Answer, type Item, type LevelWrite, type Refusal, type Request } from 'dynalite/db/index.js'
import { createLocks } from '../locks.ts'
import { type Action, runNow } from './actions.ts'
import type { Engine } from './dynalite.ts'
import { isRefusal } from './errors.ts'
import { prefix } from './keys.ts'
import { overlay, type Place } from './overlay.ts'

export type Kind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck'

/** A request about one item, checked against the item's table. */
export interface Placed extends Place {
  request: Request
}

export interface Write extends Placed {
  kind: Kind
}

/** What became of one write; `existing` is the item before it. */
export type Outcome = { existing: Item | undefined } & ({ answer: Answer } | { error: Refusal })

/** Applies writes to distinct items: all of them, index entries included, or none. `alongside` goes down in the same batch. */
export type Commit = (writes: readonly Write[], alongside?: readonly LevelWrite[]) => Promise<Outcome[]>

/**
 * The one way items get written, by single writes, batches and transactions alike: lock the items, run dynalite's own code against each as it is now, and when every
 * one agrees, write items and index entries as one LevelDB batch. A kill finds either all of it or nothing; dynalite itself writes an item and its index entries one by one.
 */
export function createCommit({ store, level }: Engine): Commit {
  const hold = createLocks()
  return (writes, alongside = []) =>
    hold(writes.map(keyOf), async () => {
      const batch: LevelWrite[] = []
      const outcomes = writes.map((write): Outcome => {
        const existing = level.getSync(keyOf(write))
        try {
          return { existing, answer: runNow(actions[write.kind], overlay(store, write, existing, batch), write.request) }
        } catch (error) {
          if (isRefusal(error)) return { existing, error }
          throw error
        }
      })
      if (outcomes.every(outcome => 'answer' in outcome) && batch.length + alongside.length > 0) await level.batch([...batch, ...alongside])
      return outcomes
    })
}

/**
 * Finds the item that a request is about.
 * @throws ResourceNotFoundException, or ValidationException when the key does not fit the table.
 */
export function place({ tables }: Engine, request: Request): Placed {
  const table = tables.find(request.TableName)
  const { Item: item, Key: key = {} } = request
  const wrong = item ? db.validateItem(item, table) : db.validateKey(key, table)
  if (wrong) throw wrong
  return { table, key: db.createKey(item ?? key, table), request }
}

/** The item's key in LevelDB, also the name of its lock. */
export const keyOf = ({ table, key }: Place) => prefix.items(table.TableName) + key

/** Not an action of dynalite's, but its condition code. */
const conditionCheck: Action = (store, request, done) => {
  store.getItemDb(request.TableName).get('', (_error, existing) => {
    const ConsumedCapacity = db.addConsumedCapacity(request, false, existing)
    done(db.checkConditional(request, existing) ?? null, { ConsumedCapacity })
  })
}

const actions: Record<Kind, Action> = { Put: putItem, Update: updateItem, Delete: deleteItem, ConditionCheck: conditionCheck }
