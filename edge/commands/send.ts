import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { commandMessage } from '../../actors/kernel/ports/mailbox/command-message.ts'
import type { Mailbox } from '../../actors/kernel/ports/mailbox/port.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import { commandQueue } from '../../contracts/derive/topology.ts'
import { late } from '../request/problems.ts'
import type { CommandRequest } from './command-request.ts'
import { envelopeOf } from './envelope.ts'
import type { CommandEntry } from './load-shedding.ts'
import type { FindPassedReply } from './passed-replies.ts'
import type { ReplyWaiters } from './reply-waiters.ts'
import { wire } from './wire.ts'

/** The part of a wait for the reply itself; the rest is for asking whether it passed by. */
export const WAITING_PART = 0.95
/** Nobody is told that it was taken: whether it was is not known, and a repeat with the same key finds out. */
const UNSENT = late(
  'the mailbox did not confirm the message in time: it may be done all the same; a repeat with the same Idempotency-Key is safe',
)

export type SenderContext = {
  /** This edge's name on the backplane. */
  readonly edge: string
  readonly mailbox: Pick<Mailbox, 'send'>
  readonly clock: Clock
  readonly waiters: ReplyWaiters
  readonly findPassedReply: FindPassedReply
  /** Counts a command that went into a mailbox. */
  readonly countSent: (actor: string, type: string) => void
}

/** Puts commands into the mailboxes of their actors. */
export const commandSender = ({ edge, mailbox, clock, waiters, findPassedReply, countSent }: SenderContext) => {
  const send = async (request: CommandRequest, id: string, at: string): Promise<undefined> => {
    const envelope = envelopeOf(request, id, at, edge, clock)
    const sending = mailbox.send(commandQueue(request.actor), commandMessage(envelope, wire(envelope)))
    // The mailbox keeps the order of its callers.
    request.order?.leave()
    await sending
    countSent(request.actor, request.type)
  }
  const confirmSent = (request: CommandRequest, id: string, at: string) => request.end.race(send(request, id, at), UNSENT)
  return {
    confirmSent,
    /** Sends, and waits from before the sending: the reply may be faster than the queue's confirmation, and is as good as one. */
    sendAndWait: async (request: CommandRequest, id: string, at: string, entry: CommandEntry): Promise<Reply | undefined> => {
      entry.sentAs(id)
      if (request.waitMs === 0) return confirmSent(request, id, at)
      const { end } = request
      const reply = waiters.wait(id, end.left() * WAITING_PART)
      const sending = send(request, id, at)
      try {
        const first = reply.then(answer => answer ?? sending)
        const early = await end.race(Promise.race([sending, first]), UNSENT)
        return early ?? (await reply) ?? (await end.race(findPassedReply(id), () => undefined))
      } catch (error) {
        waiters.resolve(id)
        throw error
      }
    },
  }
}
export type CommandSender = ReturnType<typeof commandSender>
