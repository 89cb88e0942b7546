import type { Envelope } from '../../contracts/envelope.ts'
import { queueId } from './mailbox/ids.ts'
import type { Outgoing } from './mailbox/port.ts'

/**
 * A command as it goes into its actor's mailbox, whoever sends it: its key orders it, its id lets a repeat be dropped.
 * @param body the envelope as JSON, for who writes it faster
 */
export const commandMessage = (envelope: Envelope, body: string = JSON.stringify(envelope)): Outgoing => ({
  id: queueId(envelope.id),
  group: queueId(envelope.key),
  body,
})
