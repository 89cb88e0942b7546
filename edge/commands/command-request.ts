import type { Deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import type { AnyCommand } from '../../contracts/declare/messages.ts'
import type { Conditions } from '../request/etag.ts'
import type { Key } from './idempotency.ts'

/** A command as a client gave it, checked. `data` is what the contract made of it; `key` its idempotency key, if any. */
export type CommandRequest = {
  readonly type: string
  readonly actor: string
  readonly command: AnyCommand
  readonly by: string
  readonly data: unknown
  readonly conditions: Conditions
  readonly key: Key | undefined
  /** How long to wait for the reply; 0: not at all, the operation will tell. */
  readonly waitMs: number
  /** When there must be an answer, whatever hangs. */
  readonly end: Deadline
  /** Its turn among those who send one after the other. */
  readonly order?: SendOrder
  readonly request: string
  readonly traceparent: string | null
}

/** `before`: those ahead have put their messages into the mailbox, or given up; `leave`: so has this one. */
export type SendOrder = { readonly before: Promise<void>; readonly leave: () => void }

/**
 * The actor's reply, or the operation that will tell.
 * @property replayed an earlier request with the same key got it first
 * @property waited as long as was asked for; not where too many wait for the same key already
 */
export type CommandResult = { readonly replayed: boolean } & (
  | { readonly reply: Reply }
  | { readonly operation: string; readonly waited: boolean }
)
export type SubmitCommand = (request: CommandRequest) => Promise<CommandResult>
