import type { Failpoint } from '../../actors/kernel/process/failpoints.ts'
import type { Reply } from '../../contracts/declare/envelope.ts'
import { late } from '../request/problems.ts'
import type { CommandRequest, CommandResult, SubmitCommand } from './command-request.ts'
import { commandKey } from './envelope.ts'
import type { CommandEntry, LoadShedder } from './load-shedding.ts'
import type { OperationIds } from './operations.ts'
import { commandRepeater, type RepeatContext } from './repeat.ts'
import { commandSender, type SenderContext } from './send.ts'

const OUT_OF_ORDER = late(
  'a message said before it on the same socket was not taken in time: nothing was done yet; say it again with the same id',
)
const UNCLAIMED = late('the store did not confirm the Idempotency-Key in time: nothing was done yet; a repeat with the same key is safe')

export type SubmitContext = SenderContext &
  Omit<RepeatContext, 'sender'> & {
    readonly operationIds: OperationIds
    readonly loadShedder: LoadShedder
    readonly reach: Failpoint
    readonly newId: (now: number) => string
  }

/** The time of commands, written once for all of one millisecond. */
const timeWriter = () => {
  let last = { now: Number.NaN, at: '' }
  return (now: number): string => {
    if (last.now !== now) last = { now, at: new Date(now).toISOString() }
    return last.at
  }
}

/** What each command goes through: its key is claimed, it is put into the actor's mailbox, its reply is waited for. */
const commandSteps = (context: SubmitContext) => {
  const { claims, operationIds, reach } = context
  const sender = commandSender(context)
  const repeat = commandRepeater({ ...context, sender })
  const resultOf = (reply: Reply | undefined, id: string, by: string, replayed: boolean, waited: boolean): CommandResult =>
    reply ? { reply, replayed } : { operation: operationIds.write(id, by), replayed, waited }
  return async (asked: CommandRequest, id: string, at: string, entry: CommandEntry): Promise<CommandResult> => {
    const waited = entry.waits || asked.waitMs === 0
    const request = waited ? asked : { ...asked, waitMs: 0 }
    const { key, order, end, by } = request
    if (!key) return resultOf(await sender.sendAndWait(request, id, at, entry), id, by, false, waited)
    const claim = await end.race(claims.take(key, id, at), UNCLAIMED)
    // What is answered already puts nothing into a mailbox.
    if (!claim.reply && order) await end.race(order.before, OUT_OF_ORDER)
    if (!claim.own) return resultOf(await repeat(request, key, claim), claim.messageId, by, true, waited)
    await reach('after-claim')
    return resultOf(await sender.sendAndWait(request, id, at, entry), id, by, false, waited)
  }
}

/**
 * Submits commands. Work that has begun is done once, whoever still waits.
 * @throws EdgeProblem `overloaded`, `rate-limited` when too much of the caller has no reply yet, `idempotency-key-reused`
 */
export const commandSubmitter = (context: SubmitContext): SubmitCommand => {
  const { clock, newId, loadShedder } = context
  const timeOf = timeWriter()
  const run = commandSteps(context)
  return async request => {
    const now = clock.now()
    const id = newId(now)
    const at = timeOf(now)
    const key = commandKey(request, id, at)
    const entry = loadShedder.enter({ user: request.by, actor: request.actor, key }, request.waitMs > 0)
    let pending = false
    try {
      const result = await run(request, id, at, entry)
      pending = 'operation' in result
      return result
    } finally {
      entry.leave(pending)
    }
  }
}
