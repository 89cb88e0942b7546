import type { Envelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import { ConditionLost } from '../ports/store/port.ts'
import { locateReply } from '../turn/locate-reply.ts'
import { isLarge, keepOperation, operationItem, operationPlace } from '../turn/replies.ts'
import type { TurnResult } from '../turn/turn.ts'
import { type HandlerContext, moveToDeadLetters } from './handling.ts'

/**
 * Tells the edge that waits. Whoever was told an operation id must find the reply later, and the backplane does not keep it: so it becomes a row where the
 * edge may have given up by now, or does not listen.
 */
export const sendReply = async (
  { ports: { backplane, clock, store }, log }: HandlerContext,
  { command, reply: decided, fresh }: TurnResult['settled'][number],
): Promise<void> => {
  const { envelope, declaration, message } = command
  const { id, reply: to } = envelope
  if (!to) return
  const reply = locateReply(decided, declaration, message.data)
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

/** What the caller of a dead letter is told. */
const FAILED: Reply = {
  status: 500,
  problem: { code: 'internal-error', detail: 'It could not be processed and is kept for inspection.' },
}
const LOGGED = { 'rule-failed': 'a message became a dead letter', unreadable: 'a message cannot be read: dead letter' } as const

/**
 * Keeps for whoever asks later that a command failed, unless its reply is kept: a command that was done and answered can still die, of its repeat.
 * @returns the reply that is kept
 */
const keepFailed = async ({ ports: { store, clock } }: HandlerContext, { id }: Envelope): Promise<Reply> => {
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

/**
 * Makes a command a dead letter; whoever waits for it is told, and whoever asks later finds that it failed.
 * @param envelope undefined where it cannot be read
 */
export const giveUpCommand = async (
  context: HandlerContext,
  delivery: Delivery,
  label: keyof typeof LOGGED,
  reason: string,
  envelope: Envelope | undefined,
): Promise<void> => {
  // Before it is sent: while the store is away, each redelivery would send one more copy.
  const kept = envelope?.reply && (await keepFailed(context, envelope))
  const { id: message = delivery.id, type, key } = envelope ?? {}
  await moveToDeadLetters(context, delivery, { label, reason, logged: { text: LOGGED[label], fields: { message, type, key } } })
  if (!envelope?.reply || !kept) return
  await context.ports.backplane
    .reply(envelope.reply.to, envelope.id, kept, true)
    .catch(err => context.log.debug({ err, message }, 'the backplane did not take the reply to a dead letter: its operation tells it'))
}
