import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Claim } from '../../actors/kernel/turn/replies.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import type { CommandRequest } from './command-request.ts'
import type { Claims, Key } from './idempotency.ts'
import type { FindPassedReply } from './passed-replies.ts'
import type { ReplyWaiters } from './reply-waiters.ts'
import { type CommandSender, WAITING_PART } from './send.ts'

const MIN_POLL_INTERVAL_MS = 20
const MAX_POLL_INTERVAL_MS = 400

export type RepeatContext = {
  readonly clock: Clock
  readonly claims: Claims
  readonly waiters: ReplyWaiters
  readonly findPassedReply: FindPassedReply
  readonly sender: Pick<CommandSender, 'confirmSent'>
}

/** Answers a command whose idempotency key an earlier request has claimed, on whichever edge. */
export const commandRepeater = ({ clock, claims, waiters, findPassedReply, sender }: RepeatContext) => {
  /** Messages whose replies are being asked for: once for all who wait for one. */
  const polled = new Set<string>()
  const poll = async (key: Key, id: string): Promise<void> => {
    if (polled.has(id)) return
    polled.add(id)
    for (let pause = MIN_POLL_INTERVAL_MS; waiters.has(id); pause = Math.min(MAX_POLL_INTERVAL_MS, pause * 2)) {
      await clock.sleep(pause)
      const reply = (await findPassedReply(id)) ?? (await claims.read(key.name).catch(() => undefined))?.reply
      if (reply) waiters.resolve(id, reply)
    }
    polled.delete(id)
  }
  /** The reply to somebody else's message: it goes to that edge, so this one asks, ever less often. */
  const pollForReply = (key: Key, id: string, ms: number): Promise<Reply | undefined> => {
    const reply = waiters.wait(id, ms)
    void poll(key, id)
    return reply
  }
  /** Gives the first reply if there is one; else sends the message again, as the edge that claimed the key may have died before it sent. */
  return async (request: CommandRequest, key: Key, { messageId, at, reply }: Claim): Promise<Reply | undefined> => {
    if (reply) return reply
    await sender.confirmSent(request, messageId, at)
    return request.waitMs === 0 ? undefined : pollForReply(key, messageId, request.end.left() * WAITING_PART)
  }
}
