import { Envelope, type Trace } from '../../../contracts/declare/envelope.ts'
import { groupOf } from '../../../contracts/declare/messages.ts'
import { commandQueue } from '../../../contracts/derive/topology.ts'
import { commandMessage } from '../ports/mailbox/command-message.ts'
import type { HostContext } from './host.ts'

/** A command that an actor sends to itself. `at` is RFC 3339. */
export type OwnCommand = {
  readonly id: string
  readonly by: string
  readonly at: string
  readonly type: string
  readonly data: unknown
  readonly trace: Trace
}

/** Sends an actor a command of its own. @throws when it has no such command, or the contract does not allow it */
export const sendOwnCommand = async (
  { code: { declaration: actor }, ports, metrics }: Pick<HostContext, 'code' | 'ports' | 'metrics'>,
  { id, by, at, type, data, trace }: OwnCommand,
): Promise<void> => {
  const command = actor.commands[type]
  if (!command) throw new TypeError(`${actor.name} sends itself ${type}, which it does not know`)
  const message = { id, by, at, data: command.data.parse(data) }
  const envelope = Envelope.parse({ v: 1, ...message, type, key: groupOf(command, message), trace })
  await ports.mailbox.send(commandQueue(actor.name), commandMessage(envelope))
  metrics.sent.inc({ actor: actor.name, type })
}
