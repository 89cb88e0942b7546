import type { Envelope } from '../../../../contracts/declare/envelope.ts'
import { queueId } from './ids.ts'
import type { Outgoing } from './port.ts'

/**
 * A command as it goes into its actor's mailbox, whoever sends it: its key orders it, its id lets a repeat be dropped.
 * @param body the envelope as JSON, for who writes it faster
 */
export const commandMessage = (envelope: Envelope, body: string = JSON.stringify(envelope)): Outgoing => ({
  id: queueId(envelope.id),
  group: queueId(envelope.key),
  body,
})
