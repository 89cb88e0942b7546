import { TOPOLOGY } from '../actors/kernel/ports/events/conformance.ts'
import type { Mailbox } from '../actors/kernel/ports/mailbox/port.ts'

/** Consumes the queues of `TOPOLOGY` and remembers what came. */
export const hearAll = (mailbox: Mailbox) => {
  const got = new Map(TOPOLOGY.subscribers.map(({ queue }) => [queue, [] as { body: string; type: string | undefined }[]]))
  const consumers = TOPOLOGY.subscribers.map(({ queue }) =>
    mailbox.consume(queue, { pollers: 1, visibility: 30 }, async deliveries => {
      for (const d of deliveries) {
        got.get(queue)?.push({ body: d.body, type: d.attributes.type })
        await d.ack()
      }
    }),
  )
  return { heard: (queue: string) => got.get(queue) ?? [], stop: () => Promise.all(consumers.map(c => c.stop())) }
}
