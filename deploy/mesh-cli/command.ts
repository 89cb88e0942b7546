import type { Delivery } from '../../actors/kernel/ports/mailbox/port.ts'
import type { DeadLetter } from '../../actors/kernel/worker/dead-letters.ts'
import { readCommand, readEvent, Unreadable } from '../../actors/kernel/worker/inbox.ts'
import type { Place } from '../../contracts/declare/actor.ts'
import { actors, commands } from '../../contracts/mesh.ts'
import { saidBy } from './letters.ts'

const actorOf = (queue: string) => actors.find(a => queue === `${a.name}.fifo` || queue === `${a.name}-events`)

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
    else readEvent(heardBy(actor.hears), delivery)
    return undefined
  } catch (error) {
    if (error instanceof Unreadable) return error.message
    throw error
  }
}

const heardBy = (types: readonly string[]) => {
  const declared = new Map(actors.flatMap(a => Object.entries(a.events)))
  return new Map(types.flatMap(type => [declared.get(type)].flatMap(event => (event ? [[type, event] as const] : []))))
}

/** Where the state of a letter's key lies; undefined when it does not say which key. An event's is that of the actor that emitted it. */
export const statePlace = (letter: DeadLetter): Place | undefined => {
  const { type = '', key = letter.group } = saidBy(letter)
  const slash = key?.lastIndexOf('/') ?? -1
  if (key === undefined || slash < 1) return undefined
  const emitted = actors.find(a => Object.hasOwn(a.events, type))?.events[type]
  const table = commands.get(type)?.command.on.table ?? emitted?.of.table ?? actorOf(letter.queue)?.name
  return table === undefined ? undefined : { table, pk: key.slice(0, slash), sk: key.slice(slash + 1) }
}
