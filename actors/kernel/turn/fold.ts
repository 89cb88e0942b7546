import type { Reply } from '../../../contracts/declare/envelope.ts'
import type { ActorCode } from '../authoring/implement.ts'
import type { StoreWrite } from '../ports/store/port.ts'
import { type Command, RuleFailed } from './command.ts'
import type { Decision, OutboxEntry } from './items.ts'
import type { Snapshot } from './load.ts'
import { locateReply } from './locate-reply.ts'
import { claimPlace, keptWithWork, operationItem, operationPlace } from './replies.ts'
import { runCommand, type StepResult } from './step.ts'

export type FoldResult = {
  readonly state: unknown
  /** Whether an event changed the state. */
  readonly touched: boolean
  readonly expiresAt: number | undefined
  readonly decisions: readonly Decision[]
  readonly outbox: readonly OutboxEntry[]
  readonly replies: ReadonlyMap<string, Reply>
  /** Claims and operations that go into the transaction. */
  readonly replyWrites: readonly StoreWrite[]
  /** Why the fold stopped before the end of the batch: that command and its followers wait. */
  readonly failed: RuleFailed | undefined
}

/** The store takes 100 items a transaction; a command that does not fit waits for the next turn. */
const MAX_ITEMS = 100
class TransactionFull extends Error {}

/** Writes the claim and the operation of a command: its reply is kept in the transaction that does the work, wherever somebody may ask for it later. */
const writesOfReply = ({ items }: Snapshot, { envelope, declaration, message }: Command, reply: Reply, now: number): StoreWrite[] => {
  const { id, claim } = envelope
  const writes: StoreWrite[] = []
  // A claim lives for a day; a command that waited longer goes on without it.
  if (claim !== undefined && items.item(claimPlace(claim)))
    writes.push({ set: claimPlace(claim), values: { reply }, when: { absent: 'reply' } })
  if (keptWithWork(envelope, reply, now))
    writes.push({ put: operationItem(id, locateReply(reply, declaration, message.data), now), table: operationPlace(id).table })
  return writes
}

/**
 * Step 2: runs the rules of the fresh commands one after another over the state. Each sees what those before it wrote; the first whose rule throws ends the
 * fold, and those before it stand.
 * @param now when the turn commits (epoch ms)
 */
export const fold = (code: ActorCode, snapshot: Snapshot, now: number): FoldResult => {
  const { items, record, place, fresh } = snapshot
  const committed = new Date(now).toISOString()
  const steps: { readonly id: string; readonly result: StepResult }[] = []
  const replyWrites: StoreWrite[] = []
  let events = 0
  let failed: RuleFailed | undefined
  for (const command of fresh) {
    const { id, type } = command.envelope
    try {
      const result = items.allOrNothing(() => {
        const last = steps.at(-1)
        const before = last ? last.result.state : items.value(record, place)
        const stepped = runCommand(code, snapshot, command, before, events, committed)
        const added = writesOfReply(snapshot, command, stepped.reply, now)
        if (steps.length > 0 && items.count + replyWrites.length + added.length + 1 > MAX_ITEMS) throw new TransactionFull()
        replyWrites.push(...added)
        return stepped
      })
      events += result.events.length
      steps.push({ id, result })
    } catch (error) {
      if (!(error instanceof TransactionFull)) failed = new RuleFailed(id, type, error)
      break
    }
  }
  return { ...summary(steps), touched: events > 0, replyWrites, failed }
}

const summary = (steps: readonly { readonly id: string; readonly result: StepResult }[]) => ({
  state: steps.at(-1)?.result.state,
  expiresAt: steps.findLast(({ result }) => result.expiresAt !== undefined)?.result.expiresAt,
  decisions: steps.map(({ id, result: { refusal } }): Decision => (refusal ? { id, refusal } : { id })),
  outbox: steps.map(({ id, result: { events } }): OutboxEntry => ({ id, events })),
  replies: new Map(steps.map(({ id, result: { reply } }) => [id, reply])),
})
