import type { Delivery } from '../../actors/kernel/ports/mailbox/port.ts'
import type { DeadLetter } from '../../actors/kernel/worker/dead-letters.ts'
import { readCommand, readEvent, Unreadable } from '../../actors/kernel/worker/inbox.ts'
import type { Place } from '../../contracts/declare/records.ts'
import { commandQueue, eventQueue } from '../../contracts/derive/topology.ts'
import { mesh } from '../../contracts/mesh.ts'
import { saidBy } from './letters.ts'

const actorOf = (queue: string) => mesh.actors.find(a => queue === commandQueue(a.name) || queue === eventQueue(a.name))

/** What keeps an actor from reading a letter, now: it would die again at once. undefined: it can be read. */
export const unreadable = (letter: DeadLetter): string | undefined => {
  const actor = actorOf(letter.queue)
  if (!actor) return `no actor reads ${letter.queue}`
  const delivery: Delivery = {
    id: letter.id,
    group: letter.group,
    body: letter.body,
    attributes: {},
    receives: 1,
    sentAt: letter.sentAt,
    ack: async () => {},
    extend: async () => {},
  }
  try {
    if (letter.queue.endsWith('.fifo')) readCommand(actor, delivery)
    else readEvent(subscribedBy(actor.subscribes), delivery)
    return undefined
  } catch (error) {
    if (error instanceof Unreadable) return error.message
    throw error
  }
}

const subscribedBy = (types: readonly string[]) =>
  new Map(types.flatMap(type => [mesh.events.get(type)?.event].flatMap(event => (event ? [[type, event] as const] : []))))

/** Where the state of a letter's key lies; undefined when it does not say which key. An event's is that of the actor that emitted it. */
export const statePlace = (letter: DeadLetter): Place | undefined => {
  const { type = '', key = letter.group } = saidBy(letter)
  const slash = key?.lastIndexOf('/') ?? -1
  if (key === undefined || slash < 1) return undefined
  const emitted = mesh.events.get(type)?.event
  const table = mesh.commands.get(type)?.command.on.table ?? emitted?.of.table ?? actorOf(letter.queue)?.name
  return table === undefined ? undefined : { table, pk: key.slice(0, slash), sk: key.slice(slash + 1) }
}
