import type { Item, Refusal } from 'dynalite/db/index.js'
import { messageOf, nameOf, refusal } from './errors.ts'

/** Why one item of a transaction stands in its way; `None` for an item that does not. */
export interface Reason {
  Code: 'None' | 'ConditionalCheckFailed' | 'ValidationError' | 'TransactionConflict'
  Message?: string
  Item?: Item
}

export const none: Reason = { Code: 'None' }

/** TransactionCanceledException with one reason for each item, in the request's order. */
export function cancelled(reasons: readonly Reason[]): Refusal {
  const codes = reasons.map(reason => reason.Code).join(', ')
  const Message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return refusal('TransactionCanceledException', { Message, CancellationReasons: reasons })
}

/** As if another transaction were under way on the first of `count` items. */
export function conflicting(count: number): Refusal {
  return cancelled(
    Array.from({ length: count }, (_, i) =>
      i === 0 ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' } : none,
    ),
  )
}

/** The reason that an item's own refusal amounts to. `existing` is shown when its condition failed and the request asked to see it. */
export function reasonFor(error: Refusal, existing?: Item): Reason {
  if (nameOf(error) === 'ConditionalCheckFailedException') {
    return { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...(existing ? { Item: existing } : {}) }
  }
  return { Code: 'ValidationError', Message: messageOf(error) }
}
