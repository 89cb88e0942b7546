import type { Envelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { Place } from '../../../contracts/declare/records.ts'
import { KERNEL_TABLE } from '../../../contracts/derive/topology.ts'
import { MAX_REPLY_BYTES } from '../ports/backplane/limits.ts'
import { ConditionLost, type Item, type Store } from '../ports/store/port.ts'

/**
 * Items of the kernel's table that edge and turn share.
 *
 * A claim belongs to an Idempotency-Key: the edge puts it (`when: { absent: 'pk' }`) with the body's hash and the message's id; the turn sets its
 * `reply` in the transaction that does the work, under the condition that there is none yet, so one claim never works twice.
 * An operation holds the reply of a message whose caller may have gone away with a `202`, and a reply that is too large for the backplane.
 */
export type Claim = { readonly bodyHash: string; readonly messageId: string; readonly at: string; readonly reply?: Reply }

const seconds = (ms: number) => Math.floor(ms / 1000)
const DAY = 86_400

export const claimPlace = (claim: string): Place => ({ table: KERNEL_TABLE, pk: `claim#${claim}`, sk: 'claim' })
/** Kept for 24 h. @param now epoch ms */
export const claimItem = (claim: string, value: Claim, now: number): Item => ({
  pk: `claim#${claim}`,
  sk: 'claim',
  ...value,
  expiresAt: seconds(now) + DAY,
})

export const operationPlace = (messageId: string): Place => ({ table: KERNEL_TABLE, pk: `operation#${messageId}`, sk: 'operation' })
/** Shown for an hour after completion; kept for a day, so that a late question is told `404` and not `pending`. @param now epoch ms */
export const operationItem = (messageId: string, reply: Reply, now: number): Item => ({
  pk: `operation#${messageId}`,
  sk: 'operation',
  reply,
  completedAt: now,
  expiresAt: seconds(now) + DAY,
})
/** Keeps a reply for whoever asks for the operation, unless one is kept already. @param now epoch ms */
export const keepOperation = async (store: Pick<Store, 'commit'>, messageId: string, reply: Reply, now: number): Promise<void> => {
  try {
    await store.commit([{ put: operationItem(messageId, reply, now), table: operationPlace(messageId).table, when: { absent: 'pk' } }])
  } catch (error) {
    if (!(error instanceof ConditionLost)) throw error
  }
}

/** Whether a reply is kept in the transaction that does the work: nobody waits for it, its caller has gone away by now, or it is large. */
export const keptWithWork = ({ reply: to }: Envelope, reply: Reply, now: number): boolean =>
  to !== undefined && (to.durable || now > to.until || isLarge(reply))
/** Whether it is too large to stay on the backplane. */
export const isLarge = (reply: Reply): boolean => {
  const text = JSON.stringify(reply)
  // Most are so short that their bytes need not be counted.
  return text.length * 3 > MAX_REPLY_BYTES && Buffer.byteLength(text) > MAX_REPLY_BYTES
}

/**
 * What was decided of a message whose key has no state item yet: kept here, so that asking for what does not exist leaves nothing where things are.
 * Read again only when the message is redelivered; kept for a day.
 */
export const decidedPlace = (messageId: string): Place => ({ table: KERNEL_TABLE, pk: `decided#${messageId}`, sk: 'decided' })
/** @param now epoch ms */
export const decidedItem = (decided: { readonly id: string; readonly refusal?: unknown }, now: number): Item => ({
  ...decided,
  pk: `decided#${decided.id}`,
  sk: 'decided',
  expiresAt: seconds(now) + DAY,
})

export const OPERATION_SHOWN_MS = 3_600_000
