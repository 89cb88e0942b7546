import type { z } from 'zod'
import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import type { AnyActor } from '../../../contracts/declare/messages.ts'
import type { CommandsOf, EventsOf, Mesh } from '../../../contracts/derive/mesh.ts'
import type { Backplane } from '../ports/backplane/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Jobs } from '../ports/jobs/port.ts'
import type { Reader } from './reader.ts'

type EventType<M extends Mesh> = keyof EventsOf<M> & string
/** An event as a handler gets it, its data typed by the contract of the actor that emits it. */
type EventOf<M extends Mesh, E extends EventType<M>> = Omit<EventEnvelope, 'type' | 'data'> & {
  readonly type: E
  readonly data: EventsOf<M>[E] extends { data: infer D extends z.ZodType } ? z.infer<D> : never
}

/** A command that a handler sends to its own actor; it gets the event's id, so a repeated event is a repeated message. */
type OwnCommand<A extends AnyActor, M extends Mesh> = {
  [C in keyof A['commands'] & keyof CommandsOf<M> & string]: {
    readonly type: C
    readonly data: CommandsOf<M>[C] extends { data: infer D extends z.ZodType } ? z.input<D> : never
  }
}[keyof A['commands'] & keyof CommandsOf<M> & string]

/** What an effect may use. */
export type EffectContext = { readonly read: Reader; readonly backplane: Backplane; readonly jobs: Jobs; readonly clock: Clock }

/**
 * What an actor does about an event: `toCommands` makes commands of it for the actor itself (pure), `effect` does something outside that may be repeated.
 * Event queues are unordered and may repeat; both must bear it.
 */
type Handler<A extends AnyActor, M extends Mesh, E extends EventType<M>> =
  | { readonly toCommands: (event: EventOf<M, E>) => readonly OwnCommand<A, M>[] }
  | { readonly effect: (event: EventOf<M, E>, context: EffectContext) => Promise<void> }
/** A handler for every event that the actor subscribes to. */
export type Handlers<A extends AnyActor, M extends Mesh> = {
  readonly [E in A['subscribes'][number] & EventType<M>]: Handler<A, M, E>
}
