import type { Config } from '../../actors/kernel/config/config.ts'
import type { EdgeListener } from '../../actors/kernel/ports/backplane/port.ts'
import { failpoints } from '../../actors/kernel/process/failpoints.ts'
import type { Metrics } from '../../actors/kernel/process/metrics.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import type { Problems } from '../request/problems.ts'
import type { EdgeSecret } from '../request/signing.ts'
import { claims } from './idempotency.ts'
import { lateReplies } from './late-replies.ts'
import { type LoadLimits, loadShedder } from './load-shedding.ts'
import { messageIds } from './message-ids.ts'
import { operationIds, operations } from './operations.ts'
import { passedReplies } from './passed-replies.ts'
import { replyWaiters } from './reply-waiters.ts'
import { commandSubmitter } from './submit.ts'
import { unavailable } from './unavailable.ts'
import { unsettled } from './unsettled.ts'

export type CommandsOptions = {
  /** This edge's name on the backplane. */
  readonly edge: string
  readonly config: Config
  readonly ports: Pick<Ports, 'store' | 'mailbox' | 'backplane' | 'clock'>
  readonly secret: EdgeSecret
  readonly problems: Problems
  readonly random: () => number
  readonly loadLimits: LoadLimits
  readonly metrics: Pick<Metrics, 'sent'> | undefined
  readonly onLost: (error: unknown) => void
}

const unsettledLimits = (config: Config) => ({
  perUser: config.UNANSWERED_WRITES_PER_USER,
  waitersPerKey: config.WAITERS_PER_KEY,
  perKey: config.UNSETTLED_COMMANDS_PER_KEY,
})

/** The commands of this edge, from what clients ask to the replies: what is under way, how it is bounded, and what becomes of what comes late. */
export const createCommands = ({ edge, config, ports, secret, problems, random, loadLimits, metrics, onLost }: CommandsOptions) => {
  const { backplane, clock } = ports
  const { store, mailbox } = unavailable(ports)
  const heard = () => backplane.health().reachable
  const waiters = replyWaiters(clock)
  const commands = unsettled(clock, heard, unsettledLimits(config))
  const shedder = loadShedder(commands, clock, heard, loadLimits)
  const ids = operationIds(secret)
  const late = lateReplies(waiters, backplane, ports.store, clock, onLost)
  const submit = commandSubmitter({
    edge,
    mailbox,
    clock,
    claims: claims(store, clock, random),
    waiters,
    findPassedReply: passedReplies(backplane),
    operationIds: ids,
    loadShedder: shedder,
    reach: failpoints(config.FAILPOINTS, ms => clock.sleep(ms)),
    newId: messageIds(),
    countSent: (actor, type) => metrics?.sent.inc({ actor, type }),
  })
  const reply: EdgeListener['reply'] = (id, given, kept) => {
    commands.resolve(id)
    late.reply(id, given, kept)
  }
  return {
    submit,
    operations: operations(ids, store, backplane, clock, problems),
    unsettled: commands,
    underWay: shedder.underWay,
    /** For how long (ms) the command has waited that has waited longest. */
    oldestMs: () => clock.elapsed() - (waiters.since() ?? clock.elapsed()),
    /** A reply has reached this edge. */
    reply,
    /** Those who still wait for replies get a 202 and the place to ask. */
    release: waiters.release,
    /** Resolves when what came late is kept. */
    allKept: late.allKept,
  }
}
