import type { AnyActor } from '../declare/messages.ts'

/** The queues, topics and tables of a deployment by their whole names. */
export type Topology = {
  readonly tables: readonly string[]
  /** A FIFO queue for the commands of an actor, and its dead letters. */
  readonly mailboxes: readonly { readonly actor: string; readonly queue: string; readonly dead: string }[]
  readonly topics: readonly { readonly actor: string; readonly topic: string }[]
  /** A standard queue for the events that an actor subscribes to, its dead letters, and the types that it takes from each topic. */
  readonly subscribers: readonly {
    readonly actor: string
    readonly queue: string
    readonly dead: string
    readonly subscriptions: readonly { readonly topic: string; readonly types: readonly string[] }[]
  }[]
}

/** The queue that takes the commands of an actor. */
export const commandQueue = (actor: string): string => `${actor}.fifo`
/** The queue that takes the events that an actor subscribes to. */
export const eventQueue = (actor: string): string => `${actor}-events`
/** The queue that keeps what a queue's messages became when they could not be handled. */
export const deadLetterQueue = (queue: string): string => (queue.endsWith('.fifo') ? `${queue.slice(0, -5)}-dead.fifo` : `${queue}-dead`)
/** The table of what the kernel itself keeps: idempotency claims and operations. */
export const KERNEL_TABLE = 'kernel'

/**
 * What a mesh stands on: a table an actor that stores (and the kernel's), a FIFO mailbox an actor that takes commands, a topic an actor that emits, an event
 * queue an actor that subscribes, with a filter on the event's type.
 * @param prefix stands before every name, so that deployments can share an account
 */
export const topologyOf = (actors: readonly AnyActor[], prefix: string): Topology => {
  const named = (queue: string) => ({ queue: `${prefix}${queue}`, dead: `${prefix}${deadLetterQueue(queue)}` })
  const emits = actors.filter(a => Object.keys(a.events).length > 0)
  return {
    tables: [...actors.filter(a => Object.keys(a.records).length > 0).map(a => `${prefix}${a.name}`), `${prefix}${KERNEL_TABLE}`],
    mailboxes: actors.filter(a => Object.keys(a.commands).length > 0).map(a => ({ actor: a.name, ...named(commandQueue(a.name)) })),
    topics: emits.map(a => ({ actor: a.name, topic: `${prefix}${a.name}` })),
    subscribers: actors
      .filter(a => a.subscribes.length > 0)
      .map(a => ({
        actor: a.name,
        ...named(eventQueue(a.name)),
        subscriptions: emits
          .map(e => ({ topic: `${prefix}${e.name}`, types: a.subscribes.filter(type => type in e.events) }))
          .filter(s => s.types.length > 0),
      })),
  }
}
