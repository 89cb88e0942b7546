import type { Deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import { commandMessage } from '../../actors/kernel/ports/mailbox/command-message.ts'
import type { Failpoint } from '../../actors/kernel/process/failpoints.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import type { Claim } from '../../actors/kernel/turn/replies.ts'
import { type AnyCommand, groupOf } from '../../contracts/declare/actor.ts'
import type { Envelope, Reply } from '../../contracts/declare/envelope.ts'
import { commandQueue } from '../../contracts/derive/topology.ts'
import type { Conditions } from '../request/etag.ts'
import { late } from '../request/problems.ts'
import type { Claims, Key } from './idempotency.ts'
import type { CommandEntry, Gauge } from './load-shedding.ts'
import type { OperationIds } from './operations.ts'
import type { WaitingRoom } from './reply-waiters.ts'
import { wire } from './wire.ts'
/** A command as a client gave it, checked. `data` is what the contract made of it; `key` its idempotency key, if any. */
export type Ask = {
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
  /** Where in the line of those who speak one after the other. */
  readonly place?: Place
  readonly request: string
  readonly traceparent: string | null
}
/** `before`: those ahead have put their messages into the mailbox, or given up; `leave`: so has this one. */
export type Place = { readonly before: Promise<void>; readonly leave: () => void }
/**
 * The actor's reply, or the operation that will tell.
 * @property replayed an earlier request with the same key got it first
 * @property waited as long as was asked for; not where too many wait for the same key already
 */
export type Outcome = { readonly replayed: boolean } & (
  | { readonly reply: Reply }
  | { readonly operation: string; readonly waited: boolean }
)

export type CommandContext = {
  /** This edge's name on the backplane. */
  readonly edge: string
  readonly mailbox: Pick<Ports['mailbox'], 'send'>
  readonly backplane: Pick<Ports['backplane'], 'replyOf' | 'health'>
  readonly clock: Ports['clock']
  readonly claims: Claims
  readonly waiting: WaitingRoom
  readonly operationIds: OperationIds
  readonly pressure: Gauge
  readonly reach: Failpoint
  readonly newId: (now: number) => string
  /** Counts a command that went into a mailbox. */
  readonly sent: (actor: string, type: string) => void
}

/** A reply decided in the last part of a wait may miss the one who waits: the worker then keeps it as an operation. */
const MARGIN = 0.9
/** The rest of a wait is for asking whether the reply passed by. */
const WAITED = 0.95
/** Nobody is told that it was taken: whether it was is not known, and a repeat with the same key finds out. */
const UNSENT = late(
  'the mailbox did not confirm the message in time: it may be done all the same; a repeat with the same Idempotency-Key is safe',
)
const UNPLACED = late(
  'a message said before it on the same socket was not taken in time: nothing was done yet; say it again with the same id',
)
const UNCLAIMED = late('the store did not confirm the Idempotency-Key in time: nothing was done yet; a repeat with the same key is safe')
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 400

/**
 * Says a command: claims its key, puts it into the actor's mailbox, waits for the reply. Work that has begun is done once, whoever still waits.
 * @throws EdgeProblem `overloaded`, `rate-limited` when too much of the caller has no reply yet, `idempotency-key-reused`
 */
export const commander = (context: CommandContext) => {
  const { edge, mailbox, backplane, clock, claims, waiting, operationIds, pressure, reach, newId, sent } = context

  const envelopeOf = (ask: Ask, id: string, at: string): Envelope => {
    const message = { id, by: ask.by, at, data: ask.data }
    return {
      v: 1,
      ...message,
      ...ask.conditions,
      type: ask.type,
      key: groupOf(ask.command, message),
      ...(ask.key === undefined ? {} : { claim: ask.key.name }),
      reply: { to: edge, until: clock.now() + Math.floor(ask.end.left() * MARGIN), durable: ask.waitMs === 0 },
      trace: { request: ask.request, cause: null, traceparent: ask.traceparent },
    }
  }
  const send = async (ask: Ask, id: string, at: string): Promise<undefined> => {
    const envelope = envelopeOf(ask, id, at)
    const sending = mailbox.send(commandQueue(ask.actor), commandMessage(envelope, wire(envelope)))
    // The mailbox keeps the order of its callers.
    ask.place?.leave()
    await sending
    sent(ask.actor, ask.type)
  }
  const confirmed = (ask: Ask, id: string, at: string) => ask.end.race(send(ask, id, at), UNSENT)
  /** Sends, and waits from before the sending: the reply may be faster than the queue's confirmation, and is as good as one. */
  const sendAndWait = async (ask: Ask, id: string, at: string, entry: CommandEntry): Promise<Reply | undefined> => {
    entry.sentAs(id)
    if (ask.waitMs === 0) return confirmed(ask, id, at)
    const reply = waiting.wait(id, ask.end.left() * WAITED)
    const sending = send(ask, id, at)
    try {
      const first = reply.then(answer => answer ?? sending)
      return (await ask.end.race(Promise.race([sending, first]), UNSENT)) ?? (await reply) ?? (await inTime(ask, passedBy(id)))
    } catch (error) {
      waiting.settle(id)
      throw error
    }
  }
  const inTime = (ask: Ask, look: Promise<Reply | undefined>) => ask.end.race(look, () => undefined)
  /** A reply that the backplane has kept although word of it was lost. */
  const passedBy = async (id: string): Promise<Reply | undefined> =>
    backplane.health().reachable ? backplane.replyOf(id).catch(() => undefined) : undefined

  /** Messages whose replies are being asked for: once for all who wait for one. */
  const polled = new Set<string>()
  const poll = async (key: Key, id: string): Promise<void> => {
    if (polled.has(id)) return
    polled.add(id)
    for (let pause = FIRST_POLL_MS; waiting.has(id); pause = Math.min(LONGEST_POLL_MS, pause * 2)) {
      await clock.sleep(pause)
      const reply = (await passedBy(id)) ?? (await claims.read(key.name).catch(() => undefined))?.reply
      if (reply) waiting.settle(id, reply)
    }
    polled.delete(id)
  }
  /** The reply to somebody else's message: it goes to that edge, so this one asks, ever less often. */
  const elsewhere = (key: Key, id: string, ms: number): Promise<Reply | undefined> => {
    const reply = waiting.wait(id, ms)
    void poll(key, id)
    return reply
  }
  /** A repeat: the first reply if there is one; else the message again, as the edge that claimed the key may have died before it sent. */
  const repeat = async (ask: Ask, key: Key, { messageId, at, reply }: Claim): Promise<Reply | undefined> => {
    if (reply) return reply
    await confirmed(ask, messageId, at)
    return ask.waitMs === 0 ? undefined : elsewhere(key, messageId, ask.end.left() * WAITED)
  }
  const outcome = (reply: Reply | undefined, id: string, by: string, replayed: boolean, waited: boolean): Outcome =>
    reply ? { reply, replayed } : { operation: operationIds.write(id, by), replayed, waited }

  let last = { now: Number.NaN, at: '' }
  const timeOf = (now: number): string => {
    if (last.now !== now) last = { now, at: new Date(now).toISOString() }
    return last.at
  }
  const run = async (asked: Ask, id: string, at: string, entry: CommandEntry): Promise<Outcome> => {
    const waited = entry.waits || asked.waitMs === 0
    const ask = waited ? asked : { ...asked, waitMs: 0 }
    if (!ask.key) return outcome(await sendAndWait(ask, id, at, entry), id, ask.by, false, waited)
    const claim = await ask.end.race(claims.take(ask.key, id, at), UNCLAIMED)
    // What is answered already puts nothing into a mailbox.
    if (!claim.reply && ask.place) await ask.end.race(ask.place.before, UNPLACED)
    if (!claim.own) return outcome(await repeat(ask, ask.key, claim), claim.messageId, ask.by, true, waited)
    await reach('after-claim')
    return outcome(await sendAndWait(ask, id, at, entry), id, ask.by, false, waited)
  }
  return async (ask: Ask): Promise<Outcome> => {
    const now = clock.now()
    const id = newId(now)
    const at = timeOf(now)
    const { key } = envelopeOf(ask, id, at)
    const entry = pressure.enter({ user: ask.by, actor: ask.actor, key }, ask.waitMs > 0)
    let pending = false
    try {
      const outcome = await run(ask, id, at, entry)
      pending = 'operation' in outcome
      return outcome
    } finally {
      entry.leave(pending)
    }
  }
}
export type Commander = ReturnType<typeof commander>
