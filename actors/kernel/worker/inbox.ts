import { Envelope, EventEnvelope } from '../../../contracts/declare/envelope.ts'
import { type AnyActor, groupOf, type Message } from '../../../contracts/declare/messages.ts'
import type { Delivery } from '../ports/mailbox/port.ts'
import type { Command } from '../turn/command.ts'
/** A message that can never be handled here, whatever is tried: unknown version or type, or data against the contract. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  /** Of a command whose envelope could be read: who waits for it. */
  readonly envelope: Envelope | undefined
  constructor(why: string, envelope?: Envelope) {
    super(why)
    this.envelope = envelope
  }
}

const json = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    throw new Unreadable('the body is not JSON')
  }
}
const issues = (error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }) =>
  error.issues.map(i => `${i.path.join('.') || 'message'}: ${i.message}`).join('; ')

/** A command as the contract knows it. @throws Unreadable saying what is wrong */
export const readCommand = (actor: AnyActor, delivery: Delivery): Command => {
  const parsed = Envelope.safeParse(json(delivery.body))
  if (!parsed.success) throw new Unreadable(issues(parsed.error))
  const envelope = parsed.data
  const declaration = Object.hasOwn(actor.commands, envelope.type) ? actor.commands[envelope.type] : undefined
  if (!declaration) throw new Unreadable(`${actor.name} knows no message of type ${JSON.stringify(envelope.type)}`, envelope)
  const data = declaration.data.safeParse(envelope.data)
  if (!data.success) throw new Unreadable(`${envelope.type}: ${issues(data.error)}`, envelope)
  const message: Message<unknown> = {
    id: envelope.id,
    by: envelope.by,
    at: envelope.at,
    data: data.data,
    ...(envelope.ifMatch === undefined ? {} : { ifMatch: envelope.ifMatch }),
    ...(envelope.ifNoneMatch === undefined ? {} : { ifNoneMatch: envelope.ifNoneMatch }),
    ...(delivery.attributes.redriven === 'true' ? { redriven: true } : {}),
  }
  const key = groupOf(declaration, message)
  // A message under another key's group would run beside that key's turns.
  if (key !== envelope.key) throw new Unreadable(`${envelope.type} belongs to the key ${key}, not ${envelope.key}`, envelope)
  return { envelope, message, declaration, receives: delivery.receives, sentAt: delivery.sentAt }
}

/** An event that the actor hears. @throws Unreadable saying what is wrong */
export const readEvent = (
  heard: ReadonlyMap<string, { data: { safeParse: (x: unknown) => { success: boolean; data?: unknown; error?: unknown } } }>,
  delivery: Delivery,
): EventEnvelope => {
  const parsed = EventEnvelope.safeParse(json(delivery.body))
  if (!parsed.success) throw new Unreadable(issues(parsed.error))
  const declared = heard.get(parsed.data.type)
  if (!declared) throw new Unreadable(`nothing here hears ${JSON.stringify(parsed.data.type)}`)
  const data = declared.data.safeParse(parsed.data.data)
  if (!data.success) throw new Unreadable(`${parsed.data.type}: ${String(data.error)}`)
  return { ...parsed.data, data: data.data }
}
