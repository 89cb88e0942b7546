import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Mailbox } from '../../actors/kernel/ports/mailbox/port.ts'
import { ConditionLost, type Store } from '../../actors/kernel/ports/store/port.ts'
import { claimPlace, keptWithWork, operationItem, operationPlace } from '../../actors/kernel/turn/replies.ts'
import { Envelope, type Reply } from '../../contracts/declare/envelope.ts'

/** What an actor says to a command; nothing: it is not done yet, the message stays. */
export type Answering = (envelope: Envelope) => Reply | undefined | Promise<Reply | undefined>

/**
 * Stands where an actor stands: takes the commands of a queue and settles them as the kernel does. The reply goes into the claim with the work, at most
 * once a claim; into an operation where somebody may ask later; and to the edge that waits.
 */
export const fakeActor = (
  ports: { store: Store; mailbox: Mailbox; backplane: Backplane; clock: Clock },
  queue: string,
  answering: Answering,
) => {
  const { store, mailbox, backplane, clock } = ports
  const taken: Envelope[] = []
  const done: Envelope[] = []
  const settle = async (envelope: Envelope, reply: Reply) => {
    const { id, claim, reply: to } = envelope
    const kept = keptWithWork(envelope, reply, clock.now())
    await store.commit([
      { put: { pk: `work#${id}`, sk: 'work' }, table: 'kernel' },
      ...(claim === undefined ? [] : [{ set: claimPlace(claim), values: { reply }, when: { absent: 'reply' } } as const]),
      ...(kept ? [{ put: operationItem(id, reply, clock.now()), table: operationPlace(id).table }] : []),
    ])
    done.push(envelope)
    if (to) await backplane.reply(to.to, id, reply, kept)
  }
  const consumer = mailbox.consume(queue, { pollers: 2, visibility: 30 }, async deliveries => {
    for (const delivery of deliveries) {
      const envelope = Envelope.parse(JSON.parse(delivery.body))
      taken.push(envelope)
      const reply = await answering(envelope)
      if (!reply) continue
      try {
        await settle(envelope, reply)
      } catch (error) {
        // Done already, under the same claim.
        if (!(error instanceof ConditionLost)) throw error
      }
      await delivery.ack()
    }
  })
  return { taken, done, stop: consumer.stop }
}
