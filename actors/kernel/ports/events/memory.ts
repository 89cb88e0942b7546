import type { Topology } from '../../../../contracts/derive/topology.ts'
import type { Mailbox } from '../mailbox/port.ts'
import { allOf, weigh } from './limits.ts'
import type { EventBus, Published } from './port.ts'

/** What may go wrong with an event on its way, for tests. Queues that hear are unordered anyway; how late an event is, is up to their mailbox's faults. */
type BusFaults = {
  /** How many copies come besides it. */
  readonly duplicate?: (event: Published) => number
  /** It is published, but the publisher is told that it was not. */
  readonly loseAnswer?: (event: Published) => boolean
  /** It is not published, and the publisher is told so. */
  readonly refuse?: (event: Published) => boolean
}
export type MemoryBusOptions = {
  readonly mailbox: Mailbox
  /** Who hears what: `topology('')`. */
  readonly topology: Pick<Topology, 'subscribers'>
  readonly faults?: BusFaults
}

/** Topics in this process: puts each event into the queues of those who hear its type, raw. */
export const memoryBus = ({ mailbox, topology, faults }: MemoryBusOptions): EventBus => {
  const queues = new Map<string, string[]>()
  const route = (topic: string, type: string) => `${topic} ${type}`
  for (const { queue, subscriptions } of topology.subscribers)
    for (const { topic, types } of subscriptions)
      for (const type of types) queues.set(route(topic, type), [...(queues.get(route(topic, type)) ?? []), queue])

  const publish = async (event: Published) => {
    weigh(event)
    if (faults?.refuse?.(event)) throw new Error(`event ${event.id} was not published (planted)`)
    const copies = 1 + (faults?.duplicate?.(event) ?? 0)
    const message = { id: event.id, body: event.body, attributes: { type: event.type } }
    for (const queue of queues.get(route(event.topic, event.type)) ?? [])
      for (let i = 0; i < copies; i++) await mailbox.send(queue, message)
    if (faults?.loseAnswer?.(event)) throw new Error(`the answer about event ${event.id} was lost (planted)`)
  }
  return { publish: events => allOf(events.map(publish)) }
}
