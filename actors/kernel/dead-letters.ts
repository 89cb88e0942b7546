import type { Clock } from './clock/port.ts'
import type { Delivery, Mailbox } from './mailbox/port.ts'

/** The dead letters of a queue: `posts.fifo` -> `posts-dead.fifo`, `posts-events` -> `posts-events-dead`. */
export const deadQueue = (queue: string): string =>
  queue.endsWith('.fifo') ? `${queue.slice(0, -'.fifo'.length)}-dead.fifo` : `${queue}-dead`

const REASON_LENGTH = 1000

/** Moves one message to its queue's dead letters, with the reason; only once they have it is it acknowledged. */
export const deadLetter = async (mailbox: Mailbox, queue: string, delivery: Delivery, reason: string): Promise<void> => {
  await mailbox.send(deadQueue(queue), {
    id: delivery.id,
    ...(delivery.group === undefined ? {} : { group: delivery.group }),
    body: delivery.body,
    // The queue takes no control characters in an attribute.
    attributes: {
      reason: reason.slice(0, REASON_LENGTH).replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, ' ') || 'unknown',
      receives: String(delivery.receives),
      sentAt: String(delivery.sentAt),
    },
  })
  await delivery.ack()
}

export type Redriven = { readonly id: string; readonly reason: string | undefined }

/**
 * Sends a queue's dead letters back to it, marked `redriven` so that rules let an old toggle or edit lie. Id, body and first time stay.
 * The queue's own deduplication would swallow a repeat of the same id within five minutes, so each redrive has a deduplication id of its own.
 * @param only ids (of the queue's messages); absent: all that are there
 * @returns those sent back, when `quietMs` passed without another dead letter
 */
export const redrive = async (
  mailbox: Mailbox,
  clock: Clock,
  queue: string,
  only?: ReadonlySet<string>,
  quietMs = 1500,
): Promise<readonly Redriven[]> => {
  const done: Redriven[] = []
  let last = clock.now()
  const consumer = mailbox.consume(deadQueue(queue), { pollers: 1, visibility: 30 }, async deliveries => {
    last = clock.now()
    for (const d of deliveries) {
      if (only && !only.has(d.id)) continue
      await mailbox.send(queue, {
        id: `${d.id}~${last.toString(36)}`,
        ...(d.group === undefined ? {} : { group: d.group }),
        body: d.body,
        attributes: { redriven: 'true', firstSentAt: d.attributes.sentAt ?? String(d.sentAt) },
      })
      await d.ack()
      done.push({ id: d.id, reason: d.attributes.reason })
    }
  })
  while (clock.now() - last < quietMs) await clock.sleep(100)
  await consumer.stop()
  return done
}
