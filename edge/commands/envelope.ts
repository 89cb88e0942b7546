import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Envelope } from '../../contracts/declare/envelope.ts'
import { groupOf } from '../../contracts/declare/messages.ts'
import type { CommandRequest } from './command-request.ts'

/** A reply decided in the last part of a wait may miss the one who waits: the worker then keeps it as an operation. */
const REPLY_PART = 0.9

/** The mailbox group of a command: its commands are done one after the other. */
export const commandKey = ({ by, command, data }: CommandRequest, id: string, at: string): string => groupOf(command, { id, by, at, data })

/** The message that a command becomes. @param edge the name to which its reply goes */
export const envelopeOf = (request: CommandRequest, id: string, at: string, edge: string, clock: Clock): Envelope => ({
  v: 1,
  id,
  by: request.by,
  at,
  data: request.data,
  ...request.conditions,
  type: request.type,
  key: commandKey(request, id, at),
  ...(request.key === undefined ? {} : { claim: request.key.name }),
  reply: { to: edge, until: clock.now() + Math.floor(request.end.left() * REPLY_PART), durable: request.waitMs === 0 },
  trace: { request: request.request, cause: null, traceparent: request.traceparent },
})
