import db, { type Request } from 'dynalite/db/index.js'
import { cancelled, none, type Reason, reasonFor } from './cancellation.ts'
import { keyOf, type Placed, place } from './commit.ts'
import type { Engine } from './dynalite.ts'
import { isRefusal, nameOf } from './errors.ts'

/** The most that a transaction may carry in its items and values, and the most that it may answer, in bytes. */
export const MAX_BYTES = 4 * 1024 * 1024

/** What is wrong with the number of a transaction's items. */
export function wrongCount(items: readonly unknown[]): string | undefined {
  const limit = items.length < 1 ? 'greater than or equal to 1' : items.length > 100 ? 'less than or equal to 100' : undefined
  return limit && `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${limit}`
}

/**
 * Finds the items that a transaction is about.
 * @throws ResourceNotFoundException; ValidationException when two are the same; TransactionCanceledException when one does not fit its table.
 */
export function placeAll(engine: Engine, requests: readonly Request[]): Placed[] {
  const placed: Placed[] = []
  const reasons = requests.map((request): Reason => {
    try {
      placed.push(place(engine, request))
      return none
    } catch (error) {
      if (isRefusal(error) && nameOf(error) === 'ValidationException') return reasonFor(error)
      throw error
    }
  })
  if (new Set(placed.map(keyOf)).size < placed.length)
    throw db.validationError('Transaction request cannot include multiple operations on one item')
  if (placed.length < requests.length) throw cancelled(reasons)
  return placed
}
