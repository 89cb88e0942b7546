import type { Reach } from '../actors/kernel/failpoints.ts'
import type { Ports } from '../actors/kernel/ports.ts'
import type { Claim } from '../actors/kernel/replies.ts'
import type { AnyCommand } from '../contracts/actor.ts'
import type { Envelope, Reply } from '../contracts/envelope.ts'
import { groupOf } from '../contracts/mesh.ts'
import type { Conditions } from './etag.ts'
import type { Claims, Key } from './idempotency.ts'
import type { OperationIds } from './operations.ts'
import type { Gauge } from './pressure.ts'
import type { WaitingRoom } from './waiting.ts'
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
  readonly waitMs: number
  /** Where in the line of those who speak one after the other. */
  readonly place?: Place
  readonly request: string
  readonly traceparent: string | null
}
/** `before`: those ahead have put their messages into the mailbox, or given up; `leave`: so has this one. */
export type Place = { readonly before: Promise<void>; readonly leave: () => void }
/** The actor's reply, or the operation that will tell; `replayed`: an earlier request with the same key got it first. */
export type Outcome = { readonly replayed: boolean } & ({ readonly reply: Reply } | { readonly operation: string })

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
  readonly reach: Reach
  readonly newId: (now: number) => string
  /** Counts a command that went into a mailbox. */
  readonly sent: (actor: string, type: string) => void
}

/** A reply decided in the last part of a wait may miss the one who waits: the worker then keeps it as an operation. */
const MARGIN = 0.9
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 400

/**
 * Says a command: claims its key, puts it into the actor's mailbox, waits for the reply. Work that has begun is done once, whoever still waits.
 * @throws EdgeProblem `overloaded`, `idempotency-key-reused`
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
      reply: { to: edge, until: clock.now() + Math.floor(ask.waitMs * MARGIN), durable: ask.waitMs === 0 },
      trace: { request: ask.request, cause: null, traceparent: ask.traceparent },
    }
  }
  const send = async (ask: Ask, id: string, at: string) => {
    const envelope = envelopeOf(ask, id, at)
    const sending = mailbox.send(`${ask.actor}.fifo`, { id, group: envelope.key, body: wire(envelope) })
    // The mailbox keeps the order of its callers.
    ask.place?.leave()
    await sending
    sent(ask.actor, ask.type)
  }
  /** Sends, and waits from before the sending: the reply may be faster than the queue's confirmation. */
  const sendAndWait = async (ask: Ask, id: string, at: string): Promise<Reply | undefined> => {
    if (ask.waitMs === 0) {
      await send(ask, id, at)
      return undefined
    }
    const reply = waiting.wait(id, ask.waitMs)
    try {
      await send(ask, id, at)
    } catch (error) {
      waiting.settle(id)
      throw error
    }
    return (await reply) ?? (await passedBy(id))
  }
  /** A reply that the backplane has kept although word of it was lost. */
  const passedBy = async (id: string): Promise<Reply | undefined> =>
    backplane.health().ok ? backplane.replyOf(id).catch(() => undefined) : undefined

  /** The reply to somebody else's message: it goes to that edge, so this one asks, ever less often. */
  const elsewhere = async (key: Key, id: string, ms: number): Promise<Reply | undefined> => {
    let over = false
    const here = waiting.wait(id, ms).then(reply => {
      over = true
      return reply
    })
    const poll = async () => {
      for (let pause = FIRST_POLL_MS; !over; pause = Math.min(LONGEST_POLL_MS, pause * 2)) {
        await clock.sleep(pause)
        const reply = (await passedBy(id)) ?? (await claims.read(key.name).catch(() => undefined))?.reply
        if (reply && !over) waiting.settle(id, reply)
      }
    }
    void poll()
    return here
  }
  /** A repeat: the first reply if there is one; else the message again, as the edge that claimed the key may have died before it sent. */
  const repeat = async (ask: Ask, key: Key, { messageId, at, reply }: Claim): Promise<Reply | undefined> => {
    if (reply) return reply
    await send(ask, messageId, at)
    return ask.waitMs === 0 ? undefined : elsewhere(key, messageId, ask.waitMs)
  }
  const outcome = (reply: Reply | undefined, id: string, by: string, replayed: boolean): Outcome =>
    reply ? { reply, replayed } : { operation: operationIds.write(id, by), replayed }

  let last = { now: Number.NaN, at: '' }
  const timeOf = (now: number): string => {
    if (last.now !== now) last = { now, at: new Date(now).toISOString() }
    return last.at
  }
  const run = async (ask: Ask, id: string, now: number): Promise<Outcome> => {
    const at = timeOf(now)
    if (!ask.key) return outcome(await sendAndWait(ask, id, at), id, ask.by, false)
    const claim = await claims.take(ask.key, id, at)
    // What is answered already puts nothing into a mailbox.
    if (!claim.reply) await ask.place?.before
    if (!claim.own) return outcome(await repeat(ask, ask.key, claim), claim.messageId, ask.by, true)
    await reach('after-claim')
    return outcome(await sendAndWait(ask, id, at), id, ask.by, false)
  }
  return async (ask: Ask): Promise<Outcome> => {
    const now = clock.now()
    const id = newId(now)
    pressure.enter()
    try {
      return await run(ask, id, now)
    } finally {
      pressure.leave()
    }
  }
}
export type Commander = ReturnType<typeof commander>
