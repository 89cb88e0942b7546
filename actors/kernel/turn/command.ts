import type { Envelope } from '../../../contracts/declare/envelope.ts'
import type { AnyCommand, Message } from '../../../contracts/declare/messages.ts'
import type { PageRef, Ref } from '../../../contracts/declare/records.ts'
import { errorMessage } from '../ports/errors/error-message.ts'

/** A command as a worker received it: read against the contract, with what its queue said of it. */
export type Command = {
  readonly envelope: Envelope
  readonly message: Message<unknown>
  readonly declaration: AnyCommand
  readonly receives: number
  /** When it was put into the mailbox, by the queue's clock (epoch ms). */
  readonly sentAt: number
}

/** A rule threw, or what it asked for is stored in a form that the contract does not know: a fault of the code, not of an engine. */
export class RuleFailed extends Error {
  override readonly name = 'RuleFailed'
  readonly id: string
  constructor(id: string, type: string, cause: unknown) {
    super(`${type} ${id}: ${errorMessage(cause)}`, { cause })
    this.id = id
  }
}

/** Runs a command's rule outside the fold. @throws RuleFailed that names the command when the rule throws */
export const runRule = <T>({ envelope }: Command, rule: () => T): T => {
  try {
    return rule()
  } catch (error) {
    throw new RuleFailed(envelope.id, envelope.type, error)
  }
}

/** What a command's rules ask to be read, by the names that they use. */
export const loadsOf = ({ declaration, message }: Pick<Command, 'declaration' | 'message'>): Readonly<Record<string, Ref | PageRef>> =>
  declaration.loads?.(message) ?? {}
