import type { Place } from '../../../contracts/declare/actor.ts'
import type { Reply } from '../../../contracts/declare/envelope.ts'
import { KERNEL_TABLE } from '../../../contracts/derive/topology.ts'
import type { Item } from '../ports/store/port.ts'

/**
 * Items of the kernel's table that edge and turn share.
 *
 * A claim belongs to an Idempotency-Key: the edge puts it (`when: { absent: 'pk' }`) with the body's hash and the message's id; the turn sets its
 * `reply` in the transaction that does the work, under the condition that there is none yet, so one claim never works twice.
 * An operation holds the reply of a message whose caller went away with a `202`.
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
