import type { EventBus } from '../ports/events/port.ts'
import { isOurFault } from '../process/our-fault.ts'
import type { OutboxEntry } from './items.ts'
import type { Snapshot } from './load.ts'

export type Publisher = {
  readonly events: EventBus
  /** The actor's name is its topic's. */
  readonly topic: string
  /** Message ids whose events are known to be out: saves publishing them again before a commit. Losing it costs a publish, nothing else. */
  readonly published: { readonly has: (id: string) => boolean; readonly add: (id: string) => void }
}

/** Publishes the events of outbox entries; repeats do no harm. */
export const publish = async ({ events, topic, published }: Publisher, entries: readonly OutboxEntry[]): Promise<void> => {
  const batch = entries.flatMap(entry => entry.events)
  if (batch.length > 0) await events.publish(batch.map(event => ({ topic, id: event.id, type: event.type, body: JSON.stringify(event) })))
  for (const { id } of entries) published.add(id)
}

/** Step 3: publishes what earlier turns left. Their commands were acknowledged, and their outbox entries are about to go with this turn's commit. */
export const publishLeftovers = async (publisher: Publisher, { batch, turnRecord }: Snapshot): Promise<void> => {
  const ids = new Set(batch.map(({ envelope }) => envelope.id))
  try {
    await publish(
      publisher,
      turnRecord.outbox.filter(({ id }) => !ids.has(id) && !publisher.published.has(id)),
    )
  } catch (error) {
    // The topic refuses these events for good, and their command became a dead letter of it. The commands behind it must not follow.
    if (!isOurFault(error)) throw error
  }
}
