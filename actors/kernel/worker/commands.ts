import type { Envelope, Reply } from '../../../contracts/declare/envelope.ts'
import { commandQueue } from '../../../contracts/derive/topology.ts'
import { stopwatch, type Timed } from '../ports/clock/stopwatch.ts'
import type { EventBus } from '../ports/events/port.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { ConditionLost, Conflict } from '../ports/store/port.ts'
import { isSampled, withEngineCalls } from '../ports/tracing/span.ts'
import type { Reach } from '../process/failpoints.ts'
import { isOurFault } from '../process/our-fault.ts'
import { RuleFailed, type Taken } from '../turn/fold.ts'
import { locateReply } from '../turn/locate-reply.ts'
import { isLarge, keepOperation, operationItem, operationPlace } from '../turn/replies.ts'
import { type Turned, turn } from '../turn/turn.ts'
import { deadLetter } from './dead-letters.ts'
import type { Host, HostContext } from './host.ts'
import { readCommand, Unreadable } from './inbox.ts'
import { patience } from './visibility.ts'

/** A rule that throws at this receive or later makes its message a dead letter. */
const POISON_RECEIVES = 5
/** What the caller of a dead letter is told. */
const FAILED: Reply = {
  status: 500,
  problem: { code: 'internal-error', detail: 'It could not be processed and is kept for inspection.' },
}
/** Why messages die, and what the log says of each. */
const DIED = { 'rule-failed': 'a message became a dead letter', unreadable: 'a message cannot be read: dead letter' } as const
/** Seconds: how long a message waits at the most after an engine failed, so that it is taken soon after the engine is back. */
const LONGEST_WAIT = 10

/** A command and every delivery of it that is held. */
export type Held = { readonly taken: Taken; readonly deliveries: Delivery[] }

/** What a host of an actor's commands does with them once it has them: reads them, takes the turns of a key, publishes, replies, acknowledges, buries. */
export const commandSettling = ({ code, ports, log, metrics, random = Math.random }: HostContext, host: Host, reach: Reach) => {
  const { mailbox, backplane, clock, store } = ports
  const { hold, engines } = host
  const actor = code.declaration.name
  const queue = commandQueue(actor)
  const events: EventBus = {
    publish: async batch => {
      await ports.events.publish(batch)
      metrics.events.inc({ actor }, batch.length)
    },
  }
  const context = { code, ports: { store, events, clock }, reach, random, published: host.published }

  /**
   * Tells the edge that waits. Whoever was told an operation id must find the reply later, and the backplane does not keep it: so it becomes a row where the
   * edge may have given up by now, or does not listen.
   */
  const send = async ({ taken, reply: decided, fresh }: Turned['settled'][number]) => {
    const { envelope, command, message } = taken
    const { id, reply: to } = envelope
    if (!to) return
    const reply = locateReply(decided, command, message.data)
    const keep = () => keepOperation(store, id, reply, clock.now())
    const late = () => clock.now() > to.until
    const inRow = to.durable || late() || isLarge(reply)
    // With the work it was kept by the same measure, but time has gone by, and what was done before may have been told in time.
    if (inRow && (!fresh || late())) await keep()
    try {
      const heard = await backplane.reply(to.to, id, reply, inRow)
      if (!inRow && (!heard || late())) await keep()
    } catch (err) {
      log.debug({ err, message: id }, 'the backplane did not take a reply: it becomes an operation')
      await keep()
    }
  }
  /** Events of what is committed must go out: holds the messages and keeps trying until they are, or until the host's time is over. */
  const publish = async (turned: Turned) => {
    for (let failures = 0; ; failures++) {
      try {
        return await turned.publish()
      } catch (err) {
        // What the topic refuses it will refuse again.
        if (host.over() || isOurFault(err)) throw err
        log.warn({ err, queue }, 'events cannot be published: their messages are held')
        await clock.sleep(Math.min(5_000, 100 * 2 ** failures))
      }
    }
  }
  /**
   * Keeps for whoever asks later that a command failed, unless its reply is kept: what is done and told can still die, of its repeat.
   * @returns what is kept
   */
  const keepFailed = async ({ id }: Envelope): Promise<Reply> => {
    const place = operationPlace(id)
    try {
      await store.commit([{ put: operationItem(id, FAILED, clock.now()), table: place.table, when: { absent: 'pk' } }])
      return FAILED
    } catch (err) {
      if (!(err instanceof ConditionLost)) throw err
      const [kept] = await store.get([place])
      return (kept?.reply as Reply | undefined) ?? FAILED
    }
  }
  /** To the dead letters; whoever waits for it is told, and whoever asks later finds that it failed. */
  const toDeadLetters = async (delivery: Delivery, died: keyof typeof DIED, reason: string, envelope: Envelope | undefined) => {
    // Before it is sent: while the store is away, each redelivery would send one more copy.
    const kept = envelope?.reply && (await keepFailed(envelope))
    await deadLetter(mailbox, queue, delivery, reason)
    metrics.dead.inc({ queue, reason: died })
    if (delivery.attributes.redriven === 'true') metrics.redriven.inc({ queue })
    const { id: message = delivery.id, type, key } = envelope ?? {}
    log.error({ queue, message, type, key, reason }, DIED[died])
    if (envelope?.reply && kept)
      await backplane
        .reply(envelope.reply.to, envelope.id, kept, true)
        .catch(err => log.debug({ err, message }, 'the backplane did not take the reply to a dead letter: its operation tells it'))
  }
  const bury = async (held: Held, reason: string) => {
    const [last] = held.deliveries.slice(-1)
    if (last) await toDeadLetters(last, 'rule-failed', reason, held.taken.envelope)
    for (const d of held.deliveries) hold.drop(d)
  }
  const release = (held: Iterable<Held>, seconds: number) =>
    Promise.all([...held].flatMap(h => h.deliveries.map(d => hold.release(d, seconds))))

  const settle = async (batch: Map<string, Held>, turned: Turned) => {
    // All of them, however some fail: messages given back while their events are still tried would have them tried by each redelivery as well.
    const said = await Promise.allSettled([publish(turned), ...turned.settled.map(send)])
    for (const one of said) if (one.status === 'rejected') throw one.reason
    await reach('before-ack')
    await Promise.all(
      turned.settled.map(async ({ taken, reply, fresh }) => {
        const held = batch.get(taken.envelope.id)
        batch.delete(taken.envelope.id)
        metrics.handled.inc({ actor, type: taken.envelope.type, outcome: !fresh ? 'repeated' : reply.problem ? 'refused' : 'done' })
        // With what became of it: the worker that received it first may have died of it, and would count it no more.
        if (fresh && taken.message.redriven) metrics.redriven.inc({ queue })
        for (const d of held?.deliveries ?? []) {
          hold.drop(d)
          await d.ack()
        }
      }),
    )
  }
  /** What the failed message leaves to do: it is buried, or it and its followers wait. */
  const fail = async (batch: Map<string, Held>, failed: RuleFailed) => {
    const held = batch.get(failed.id)
    if (!held) return
    const receives = Math.max(...held.deliveries.map(d => d.receives))
    if (receives < POISON_RECEIVES) {
      log.warn({ err: failed, queue, message: failed.id, receives }, 'a rule threw')
      await release(batch.values(), patience(receives))
      return batch.clear()
    }
    await bury(held, failed.message)
    batch.delete(failed.id)
  }
  const trace = (taken: readonly Taken[], { at, ms }: Timed, engine: { kind: string; ms: number }[], turned: Turned) => {
    for (const t of taken) {
      if (!isSampled(t.envelope.trace.traceparent)) continue
      const reply = turned.settled.find(s => s.taken === t)?.reply
      const { request, cause } = t.envelope.trace
      backplane
        .trace({
          request,
          id: t.envelope.id,
          cause: cause ?? request,
          actor,
          what: t.envelope.type,
          at,
          ms,
          engine,
          outcome: reply ? String(reply.status) : 'waits',
        })
        .catch(err => log.debug({ err }, 'a span was lost'))
    }
  }
  const unreadable = async (delivery: Delivery, err: unknown) => {
    const { message: reason } = err instanceof Error ? err : new Error(String(err))
    try {
      await toDeadLetters(delivery, 'unreadable', reason, err instanceof Unreadable ? err.envelope : undefined)
      hold.drop(delivery)
    } catch (error) {
      if (!isOurFault(error)) engines.failed(error)
      await hold.release(delivery, patience(delivery.receives))
    }
  }
  /** @returns what failed and is still in the batch */
  const takeTurn = async (batch: Map<string, Held>): Promise<RuleFailed | undefined> => {
    const taken = [...batch.values()].map(h => h.taken)
    const timed = stopwatch(clock)
    const stop = metrics.turn.startTimer({ actor })
    const { value: turned, engine } = await withEngineCalls(async () => {
      const turned = await turn(context, taken)
      engines.ok()
      await settle(batch, turned)
      return turned
    })
    stop()
    trace(taken, timed(), engine, turned)
    if (!turned.failed && turned.settled.length === 0) throw new Error('a turn settled nothing')
    return turned.failed
  }
  /** What is decided can still be refused: its events by their topic, its reply by the store. The first goes alone, to find out whether it is the one. */
  const findRefused = async (batch: Map<string, Held>, error: unknown): Promise<RuleFailed | undefined> => {
    const [first] = batch
    if (!isOurFault(error) || !first) throw error
    const [id, { taken }] = first
    if (batch.size === 1) return new RuleFailed(id, taken.envelope.type, error)
    const alone = new Map([first])
    const failed = await takeTurn(alone).catch(err => findRefused(alone, err))
    if (!failed) batch.delete(id)
    return failed
  }
  const takeTurns = async (batch: Map<string, Held>): Promise<void> => {
    while (batch.size > 0) {
      const failed = await takeTurn(batch).catch(err => findRefused(batch, err))
      if (failed) await fail(batch, failed)
    }
  }

  return {
    /** The commands of a receive by key, in their order. What cannot be read goes to the dead letters. */
    sort: async (deliveries: readonly Delivery[]): Promise<ReadonlyMap<string, readonly Held[]>> => {
      const byKey = new Map<string, Held[]>()
      for (const delivery of deliveries) {
        metrics.lag.observe({ queue }, Math.max(0, clock.now() - delivery.sentAt) / 1000)
        try {
          const taken = readCommand(code.declaration, delivery)
          const of = byKey.get(taken.envelope.key) ?? []
          byKey.set(taken.envelope.key, [...of, { taken, deliveries: [delivery] }])
        } catch (err) {
          // Whatever reading throws it will throw again.
          await unreadable(delivery, err)
        }
      }
      return byKey
    },
    /** Settles commands of one key, in their order; never throws. What it could not finish is released: from the first that failed on. */
    run: async (_key: string, received: readonly Held[]): Promise<void> => {
      const batch = merged(received)
      try {
        await takeTurns(batch)
      } catch (err) {
        // A lost race is no failure of an engine: the key is contended, others go on. Nor is what we made wrong ourselves.
        if (!(err instanceof ConditionLost || err instanceof Conflict || isOurFault(err))) engines.failed(err)
        log.warn({ err, queue, messages: [...batch.keys()] }, 'a turn could not be finished; its messages come back')
        const receives = Math.max(1, ...[...batch.values()].flatMap(h => h.deliveries.map(d => d.receives)))
        await release(batch.values(), Math.min(LONGEST_WAIT, patience(receives)))
      }
    },
  }
}

/** A message that came again while its first delivery is still held is one message with two deliveries. */
const merged = (received: readonly Held[]): Map<string, Held> => {
  const batch = new Map<string, Held>()
  for (const held of received) {
    const earlier = batch.get(held.taken.envelope.id)
    if (earlier) earlier.deliveries.push(...held.deliveries)
    else batch.set(held.taken.envelope.id, { taken: held.taken, deliveries: [...held.deliveries] })
  }
  return batch
}
