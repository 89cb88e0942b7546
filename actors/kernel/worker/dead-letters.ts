import { deadLetterQueue } from '../../../contracts/derive/topology.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Delivery, Mailbox } from '../ports/mailbox/port.ts'

const REASON_LENGTH = 1000

/**
 * Moves one message to its queue's dead letters, with the reason; only once they have it is it acknowledged. Nothing else that can fail belongs between
 * the two: the queue forgets after five minutes what it was sent, and takes a copy.
 */
export const deadLetter = async (mailbox: Mailbox, queue: string, delivery: Delivery, reason: string): Promise<void> => {
  const { id, group, body, attributes, receives, sentAt } = delivery
  await mailbox.send(deadLetterQueue(queue), {
    id,
    // A group of its own: whoever looks at one dead letter would keep the others of its key from being looked at.
    ...(group === undefined ? {} : { group: id }),
    body,
    // The queue takes no control characters in an attribute.
    attributes: {
      reason: reason.slice(0, REASON_LENGTH).replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, ' ') || 'unknown',
      receives: String(receives),
      // Of one that was redriven and died again, as it was in the beginning.
      sentAt: attributes.firstSentAt ?? String(sentAt),
      id: attributes.messageId ?? id,
      ...(group === undefined ? {} : { group }),
    },
  })
  await delivery.ack()
}

/** A message that died. */
export type DeadLetter = {
  /** The queue that it died in. */
  readonly queue: string
  /** The id that it was first sent with; an event's is the queue's own, the one that its log line names. */
  readonly id: string
  /** The mailbox group, of a command. */
  readonly group: string | undefined
  readonly body: string
  /** undefined: the queue's own limit of receives put it here. */
  readonly reason: string | undefined
  readonly receives: number | undefined
  /** Epoch ms. */
  readonly sentAt: number
  readonly diedAt: number
}

const letterOf = (queue: string, { id, group, body, attributes, sentAt }: Delivery): DeadLetter => ({
  queue,
  id: attributes.id ?? id,
  group: attributes.group ?? group,
  body,
  reason: attributes.reason,
  receives: attributes.receives === undefined ? undefined : Number(attributes.receives),
  sentAt: Number(attributes.sentAt ?? sentAt),
  diedAt: sentAt,
})

/** Seconds that a dead letter stays hidden while it is looked at: it comes back by itself should whoever looks be killed. */
const HIDDEN = 30
const LOOK_MS = 20_000
const QUIET_MS = 1_500
/** The queue says that more is there, and none comes: behind another of its group, or on its way. */
const PATIENCE = 3

export type LookOptions = {
  /** Looking ends when so many ms passed without a dead letter … */
  readonly quietMs?: number
  /** … or after so many ms in any case; below the time that one stays hidden, each is seen once. */
  readonly mostMs?: number
  /** Asked often: whether enough was seen. */
  readonly enough?: () => boolean
}
/** `kept` dead letters were given back; about `unseen` others are there: behind another of their group, in somebody else's hands, or out of time. */
export type Looked = { readonly kept: number; readonly unseen: number }

/**
 * Shows each dead letter of a queue to `visit`, which takes it off (`ack`) and says so, or leaves it. What is left is given back as it was.
 * @throws when the queue cannot be read, or `visit` throws
 */
export const lookAtDeadLetters = async (
  mailbox: Mailbox,
  clock: Clock,
  queue: string,
  visit: (letter: DeadLetter, delivery: Delivery) => Promise<'taken' | 'kept'>,
  { quietMs = QUIET_MS, mostMs = LOOK_MS, enough = () => false }: LookOptions = {},
): Promise<Looked> => {
  const dead = deadLetterQueue(queue)
  // A queue that does not answer must not pass for an empty one.
  await mailbox.depth(dead)
  const kept = new Map<string, Delivery>()
  const began = clock.elapsed()
  let last = began
  let failure: { readonly error: unknown } | undefined
  const consumer = mailbox.consume(dead, { pollers: 1, visibility: HIDDEN, waitSeconds: 1 }, async deliveries => {
    last = clock.elapsed()
    for (const delivery of deliveries) {
      const own = `${delivery.id} ${delivery.sentAt}`
      kept.set(own, delivery)
      if (failure) continue
      try {
        if ((await visit(letterOf(queue, delivery), delivery)) === 'taken') kept.delete(own)
      } catch (error) {
        failure = { error }
      }
    }
  })
  while (!failure && !enough() && clock.elapsed() - began < mostMs) {
    const quiet = clock.elapsed() - last
    if (quiet >= quietMs && (quiet >= PATIENCE * quietMs || (await mailbox.depth(dead)).waiting === 0)) break
    await clock.sleep(100)
  }
  const { ok, error } = consumer.health()
  await consumer.stop()
  const { waiting, inFlight } = await mailbox.depth(dead)
  await Promise.all([...kept.values()].map(delivery => delivery.extend(0)))
  if (failure) throw failure.error
  if (!ok) throw new Error(error ?? `${dead} cannot be read`)
  return { kept: kept.size, unseen: Math.max(0, waiting + inFlight - kept.size) }
}

/** `again`: the reason why it was among the dead letters once more before redriving ended. */
export type Redriven = { readonly id: string; readonly reason: string | undefined; readonly again?: string }

const REDRIVE_MS = 600_000
/** A FIFO queue takes ids of 128 characters; what is added here needs ten. */
const ID_LENGTH = 110

/**
 * Sends a queue's dead letters back to it, marked `redriven` so that rules let an old toggle or edit lie. Id, body and first time stay.
 * The queue's own deduplication would swallow a repeat of the same id within five minutes, so each redrive has a deduplication id of its own.
 * One that dies again at once is sent back once and then left where it is.
 * @param only which; absent: all. Given with `count`, the search ends when so many were found
 * @returns those sent back, when `quietMs` passed without another dead letter
 */
export const redrive = async (
  mailbox: Mailbox,
  clock: Clock,
  queue: string,
  { only, count, quietMs = QUIET_MS }: { only?: (letter: DeadLetter) => boolean; count?: number; quietMs?: number } = {},
): Promise<readonly Redriven[]> => {
  const done = new Map<string, Redriven>()
  let foundAt = 0
  await lookAtDeadLetters(
    mailbox,
    clock,
    queue,
    async (letter, delivery) => {
      const { id, group, body, reason, sentAt } = letter
      const before = done.get(id)
      if (before) {
        done.set(id, { ...before, again: reason ?? 'received too often' })
        return 'kept'
      }
      if (only && !only(letter)) return 'kept'
      foundAt = clock.elapsed()
      await mailbox.send(queue, {
        id: `${id.slice(0, ID_LENGTH)}~${clock.now().toString(36)}`,
        ...(group === undefined ? {} : { group }),
        body,
        attributes: { redriven: 'true', firstSentAt: String(sentAt), messageId: id },
      })
      await delivery.ack()
      done.set(id, { id, reason })
      return 'taken'
    },
    {
      quietMs,
      // Those that are looked for in vain stay hidden for the whole search: then it must not last.
      ...(only ? {} : { mostMs: REDRIVE_MS }),
      // Found, it may still come back at once: that is waited for.
      enough: () => count !== undefined && done.size >= count && clock.elapsed() - foundAt >= quietMs,
    },
  )
  return [...done.values()]
}
