import { commandQueue } from '../../../contracts/derive/topology.ts'
import { backOffMs } from '../ports/clock/back-off.ts'
import { stopwatch, type Timed } from '../ports/clock/stopwatch.ts'
import { errorMessage } from '../ports/errors/error-message.ts'
import type { EventBus } from '../ports/events/port.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { ConditionLost, Conflict } from '../ports/store/port.ts'
import { type Span, withEngineCalls } from '../ports/tracing/span.ts'
import type { Failpoint } from '../process/failpoints.ts'
import { isOurFault } from '../process/our-fault.ts'
import { type Command, RuleFailed } from '../turn/command.ts'
import { type TurnContext, type TurnResult, turn } from '../turn/turn.ts'
import { giveUpCommand, sendReply } from './command-replies.ts'
import { countRedriven, discard, type HandlerContext, POISON_RECEIVES, readByKey, sendSpan } from './handling.ts'
import type { Host, HostContext, MessageHandler } from './host.ts'
import { readCommand, Unreadable } from './inbox.ts'
import { retryDelay } from './visibility.ts'

/** How long a message waits at the most after an engine failed, so that it is taken soon after the engine is back. */
const MAX_ENGINE_DELAY_S = 10
const PUBLISH_BACK_OFF = { firstMs: 100, maxMs: 5_000 }

/** A command and every delivery of it that is kept invisible. */
export type InFlight = { readonly command: Command; readonly deliveries: readonly Delivery[] }
/** The commands of one key that are still to be handled, by id and in their order. */
type Batch = Map<string, InFlight>
type CommandContext = HandlerContext & { readonly host: Host; readonly turn: TurnContext }

/** What a host of an actor's commands does with them once it has them: reads them, takes the turns of a key, publishes, replies, acknowledges. */
export const commandHandler = (hostContext: HostContext, host: Host, failpoint: Failpoint): MessageHandler<InFlight> => {
  const { code, ports, metrics, random = Math.random } = hostContext
  const { name: actor } = code.declaration
  const events: EventBus = {
    publish: async batch => {
      await ports.events.publish(batch)
      metrics.events.inc({ actor }, batch.length)
    },
  }
  const publisher = { events, topic: actor, published: host.published }
  const context = { ...hostContext, queue: commandQueue(actor), host, turn: { code, ports, publisher, failpoint, random } }
  return {
    read: deliveries =>
      readByKey(
        context,
        deliveries,
        delivery => {
          const command = readCommand(code.declaration, delivery)
          return { key: command.envelope.key, message: { command, deliveries: [delivery] } }
        },
        (delivery, error) => {
          const envelope = error instanceof Unreadable ? error.envelope : undefined
          return discard(context, delivery, () => giveUpCommand(context, delivery, 'unreadable', errorMessage(error), envelope))
        },
      ),
    handle: (_key, received) => handleKey(context, merged(received)),
  }
}

/** A message that came again while its first delivery is still in flight is one message with two deliveries. */
const merged = (received: readonly InFlight[]): Batch => {
  const batch: Batch = new Map()
  for (const { command, deliveries } of received) {
    const earlier = batch.get(command.envelope.id)
    batch.set(command.envelope.id, { command: earlier?.command ?? command, deliveries: [...(earlier?.deliveries ?? []), ...deliveries] })
  }
  return batch
}
const receivesOf = (messages: Iterable<InFlight>): number => Math.max(1, ...[...messages].flatMap(m => m.deliveries.map(d => d.receives)))

/** Handles commands of one key, in their order; never throws. What it could not finish is given back: from the first that failed on. */
const handleKey = async (context: CommandContext, batch: Batch): Promise<void> => {
  const { host, log, queue } = context
  try {
    while (batch.size > 0) {
      const failed = await takeTurn(context, batch).catch(err => findRefused(context, batch, err))
      if (failed) await handleFailed(context, batch, failed)
    }
  } catch (err) {
    // A lost race is no failure of an engine: the key is contended, others go on. Nor is what we made wrong ourselves.
    if (!(err instanceof ConditionLost || err instanceof Conflict || isOurFault(err))) host.breaker.failed(err)
    log.warn({ err, queue, messages: [...batch.keys()] }, 'a turn could not be finished; its messages come back')
    await returnAfter(context, batch, Math.min(MAX_ENGINE_DELAY_S, retryDelay(receivesOf(batch.values()))))
  }
}
const returnAfter = ({ host }: CommandContext, batch: Batch, seconds: number) =>
  Promise.all([...batch.values()].flatMap(({ deliveries }) => deliveries.map(d => host.visibility.returnAfter(d, seconds))))

/** Takes a turn with the whole batch. @returns the command whose rule failed and that is still in the batch */
const takeTurn = async (context: CommandContext, batch: Batch): Promise<RuleFailed | undefined> => {
  const { code, ports, metrics, host } = context
  const commands = [...batch.values()].map(({ command }) => command)
  const timed = stopwatch(ports.clock)
  const stop = metrics.turn.startTimer({ actor: code.declaration.name })
  const { value: result, engine } = await withEngineCalls(async () => {
    const result = await turn(context.turn, commands)
    host.breaker.ok()
    await finish(context, batch, result)
    return result
  })
  stop()
  sendSpans(context, commands, result, timed(), engine)
  if (!result.failed && result.settled.length === 0) throw new Error('a turn settled nothing')
  return result.failed
}

const sendSpans = (
  context: CommandContext,
  commands: readonly Command[],
  { settled }: TurnResult,
  timed: Timed,
  engine: Span['engine'],
) => {
  for (const command of commands) {
    const { id, type, trace } = command.envelope
    const reply = settled.find(s => s.command === command)?.reply
    sendSpan(context, { id, what: type, trace, outcome: reply ? String(reply.status) : 'waits' }, timed, engine)
  }
}

/** Publishes the events of what is committed, replies, and acknowledges. */
const finish = async (context: CommandContext, batch: Batch, result: TurnResult): Promise<void> => {
  // All of them, however some fail: messages given back while their events are still tried would have them tried by each redelivery as well.
  const sent = await Promise.allSettled([publishUntilOver(context, result), ...result.settled.map(one => sendReply(context, one))])
  for (const one of sent) if (one.status === 'rejected') throw one.reason
  await context.turn.failpoint('before-ack')
  await Promise.all(result.settled.map(one => acknowledge(context, batch, one)))
}

const acknowledge = async (context: CommandContext, batch: Batch, { command, reply, fresh }: TurnResult['settled'][number]) => {
  const { code, metrics, host } = context
  const { id, type } = command.envelope
  const deliveries = batch.get(id)?.deliveries ?? []
  batch.delete(id)
  const outcome = !fresh ? 'repeated' : reply.problem ? 'refused' : 'done'
  metrics.handled.inc({ actor: code.declaration.name, type, outcome })
  const [first] = deliveries
  if (fresh && first) countRedriven(context, first)
  for (const delivery of deliveries) {
    host.visibility.forget(delivery)
    await delivery.ack()
  }
}

/** Events of what is committed must go out: the messages stay in flight until they are published, or until the host's time is over. */
const publishUntilOver = async ({ host, ports, log, queue }: CommandContext, result: TurnResult): Promise<void> => {
  for (let failures = 1; ; failures++) {
    try {
      return await result.publish()
    } catch (err) {
      // What the topic refuses it will refuse again.
      if (host.over() || isOurFault(err)) throw err
      log.warn({ err, queue }, 'events cannot be published: their messages are held')
      await ports.clock.sleep(backOffMs(failures, PUBLISH_BACK_OFF))
    }
  }
}

/** A command that was decided can still be refused: its events by their topic, its reply by the store. The first goes alone, to find out whether it is the one. */
const findRefused = async (context: CommandContext, batch: Batch, error: unknown): Promise<RuleFailed | undefined> => {
  const [first] = batch
  if (!isOurFault(error) || !first) throw error
  const [id, { command }] = first
  if (batch.size === 1) return new RuleFailed(id, command.envelope.type, error)
  const alone: Batch = new Map([first])
  const failed = await takeTurn(context, alone).catch(err => findRefused(context, alone, err))
  if (!failed) batch.delete(id)
  return failed
}

/** Gives a failed command and its followers back or, once it was received too often, makes it a dead letter, so that its followers go on. */
const handleFailed = async (context: CommandContext, batch: Batch, failed: RuleFailed): Promise<void> => {
  const { host, log, queue } = context
  const message = batch.get(failed.id)
  if (!message) return
  const receives = receivesOf([message])
  if (receives < POISON_RECEIVES) {
    log.warn({ err: failed, queue, message: failed.id, receives }, 'a rule threw')
    await returnAfter(context, batch, retryDelay(receives))
    return batch.clear()
  }
  const last = message.deliveries.at(-1)
  if (last) await giveUpCommand(context, last, 'rule-failed', failed.message, message.command.envelope)
  for (const delivery of message.deliveries) host.visibility.forget(delivery)
  batch.delete(failed.id)
}
