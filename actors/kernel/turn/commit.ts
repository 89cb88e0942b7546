import type { Reply } from '../../../contracts/declare/envelope.ts'
import type { Store, StoreWrite } from '../ports/store/port.ts'
import type { FoldResult } from './fold.ts'
import { type Decision, type OutboxEntry, stateItem } from './items.ts'
import type { Snapshot } from './load.ts'
import { decidedItem, decidedPlace } from './replies.ts'

/** A larger reply that is kept beside the state would crowd the item. */
const MAX_KEPT_REPLY_CHARACTERS = 1_000

/**
 * Adds the replies to decisions whose state later commands have changed since: that state would not tell again what their callers were told. A friend
 * request that the command after it accepted was answered as a request. A large reply shows a thing, which is then shown as it is now.
 */
const keepReplies = (decisions: readonly Decision[], replies: ReadonlyMap<string, Reply>): readonly Decision[] =>
  decisions.map(decision => {
    const reply = replies.get(decision.id)
    const isKept = decision.refusal || decision.reply || !reply || JSON.stringify(reply).length > MAX_KEPT_REPLY_CHARACTERS
    return isKept ? decision : { ...decision, reply }
  })

/** The outbox entries of the batch's own commands; those of others were published before the commit. */
export const outboxOf = ({ batch, turnRecord }: Snapshot, { outbox }: FoldResult): readonly OutboxEntry[] => {
  const ids = new Set(batch.map(({ envelope }) => envelope.id))
  return [...turnRecord.outbox.filter(({ id }) => ids.has(id)), ...outbox]
}

/** Writes the state under its version or, where a key without a state was only asked for what it has not, the decisions beside. */
const stateWrites = (snapshot: Snapshot, folded: FoldResult, replies: ReadonlyMap<string, Reply>, now: number): StoreWrite[] => {
  const { batch, place, turnRecord } = snapshot
  const { version } = turnRecord
  if (version === 0 && !folded.touched)
    return [
      { check: place, when: { version: 0 } },
      ...folded.decisions.map(decision => ({ put: decidedItem(decision, now), table: decidedPlace(decision.id).table })),
    ]
  const ids = new Set(batch.map(({ envelope }) => envelope.id))
  const decisions = [...turnRecord.lastBatch.filter(({ id }) => ids.has(id)), ...folded.decisions]
  // The state is as the last one of them left it.
  const lastBatch = [...keepReplies(decisions.slice(0, -1), replies), ...decisions.slice(-1)]
  const expiresAt = folded.expiresAt ?? turnRecord.expiresAt
  const put = stateItem(place, folded.state, { version: version + 1, lastBatch, outbox: outboxOf(snapshot, folded), expiresAt })
  return [{ put, table: place.table, when: { version } }]
}

/**
 * Step 4: writes state, rows, claims and operations in one transaction.
 * @param now when the turn commits (epoch ms)
 * @throws ConditionLost or Conflict when another turn was faster; then nothing is written
 */
export const commit = async (
  store: Store,
  snapshot: Snapshot,
  folded: FoldResult,
  replies: ReadonlyMap<string, Reply>,
  now: number,
): Promise<void> => store.commit([...stateWrites(snapshot, folded, replies, now), ...snapshot.items.writes, ...folded.replyWrites])
