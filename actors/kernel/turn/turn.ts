import type { Reply } from '../../../contracts/declare/envelope.ts'
import type { Place } from '../../../contracts/declare/records.ts'
import type { ActorCode } from '../authoring/implement.ts'
import { backOffMs } from '../ports/clock/back-off.ts'
import { ConditionLost, Conflict } from '../ports/store/port.ts'
import type { Failpoint } from '../process/failpoints.ts'
import { isOurFault } from '../process/our-fault.ts'
import type { Ports } from '../process/ports.ts'
import { type Command, RuleFailed } from './command.ts'
import { commit, outboxOf } from './commit.ts'
import { type FoldResult, fold } from './fold.ts'
import { load, type Snapshot } from './load.ts'
import { type Publisher, publish, publishLeftovers } from './publish.ts'
import { repeatReplies } from './step.ts'
export type TurnContext = {
  readonly code: ActorCode
  readonly ports: Pick<Ports, 'store' | 'clock'>
  readonly publisher: Publisher
  readonly failpoint: Failpoint
  readonly random: () => number
}

/** What a turn comes to. `settled` are committed (now or before), with their replies; a command that is in neither waits for its next receive. */
export type TurnResult = {
  readonly settled: readonly { readonly command: Command; readonly reply: Reply; readonly fresh: boolean }[]
  readonly failed: RuleFailed | undefined
  /** Publishes the events of the settled commands; they may be acknowledged once it resolves. */
  readonly publish: () => Promise<void>
}

const MAX_ATTEMPTS = 8
const LOST_RACE_BACK_OFF = { firstMs: 4, maxMs: 512 }

/**
 * One turn of one key: decides the batch's commands and commits them at once, exactly once, whatever was killed, duplicated or reordered before.
 * The protocol, and why it is enough, is in `docs/turn.md`.
 * @param batch commands of one key, in the order of the queue
 * @throws what an engine throws; then nothing is settled, and a redelivery finds out what became of it
 */
export const turn = async (context: TurnContext, batch: readonly Command[]): Promise<TurnResult> => {
  const [first, ...others] = batch
  try {
    return await retryLostRaces(context, batch)
  } catch (error) {
    if (error instanceof RuleFailed) {
      // Thrown outside the fold, it left those before it undone as well: they have a turn of their own.
      const at = batch.findIndex(({ envelope }) => envelope.id === error.id)
      return at > 0 ? turn(context, batch.slice(0, at)) : failedTurn(error)
    }
    if (!isOurFault(error) || !first) throw error
    // One command at a time finds the one that the engine refuses.
    return others.length > 0 ? turn(context, [first]) : failedTurn(new RuleFailed(first.envelope.id, first.envelope.type, error))
  }
}
const failedTurn = (failed: RuleFailed): TurnResult => ({ settled: [], failed, publish: async () => {} })

/** Starts again from what is stored as long as another turn was faster. */
const retryLostRaces = async (context: TurnContext, batch: readonly Command[]): Promise<TurnResult> => {
  const { ports, random } = context
  let alsoRead: readonly Place[] = []
  for (let attempt = 1; ; attempt++) {
    try {
      return await runSteps(context, batch, alsoRead)
    } catch (error) {
      if (!(error instanceof ConditionLost || error instanceof Conflict) || attempt >= MAX_ATTEMPTS) throw error
      if (error instanceof ConditionLost) alsoRead = error.places
      await ports.clock.sleep(random() * backOffMs(attempt, LOST_RACE_BACK_OFF))
    }
  }
}

/** The steps of `docs/turn.md`, in its order. */
const runSteps = async (context: TurnContext, batch: readonly Command[], alsoRead: readonly Place[]): Promise<TurnResult> => {
  const { code, ports, publisher, failpoint } = context
  const snapshot = await load(ports.store, batch, alsoRead)
  await failpoint('after-load')
  // Nothing is decided before it was sent, whatever a host's clock says: who resumes a stream asks for what has a later time than they have heard of.
  const now = Math.max(ports.clock.now(), ...batch.map(({ sentAt }) => sentAt))
  const folded = fold(code, snapshot, now)
  await failpoint('after-decide')
  const replies = new Map([...folded.replies, ...repeatReplies(code, snapshot)])
  if (folded.decisions.length > 0) {
    await publishLeftovers(publisher, snapshot)
    await commit(ports.store, snapshot, folded, replies, now)
    await failpoint('after-commit')
  }
  return result(publisher, snapshot, folded, replies)
}

const result = (publisher: Publisher, snapshot: Snapshot, folded: FoldResult, replies: ReadonlyMap<string, Reply>): TurnResult => ({
  settled: snapshot.batch.flatMap(command => {
    const { id } = command.envelope
    const reply = replies.get(id)
    return reply === undefined ? [] : [{ command, reply, fresh: folded.replies.has(id) }]
  }),
  failed: folded.failed,
  publish: () => publish(publisher, outboxOf(snapshot, folded)),
})
