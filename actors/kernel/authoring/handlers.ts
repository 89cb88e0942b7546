import type { z } from 'zod'
import type { AnyActor } from '../../../contracts/declare/actor.ts'
import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import type { Commands, Events, EventType } from '../../../contracts/mesh.ts'
import type { Backplane } from '../ports/backplane/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Jobs } from '../ports/jobs/port.ts'
import type { Reader } from './reader.ts'

/** An event as a hearer sees it, its data typed by the contract of whoever emits it. */
export type Heard<E extends EventType> = Omit<EventEnvelope, 'type' | 'data'> & {
  readonly type: E
  readonly data: z.infer<Events[E]['data']>
}

/** A command that a hearer sends to its own actor; it gets the event's id, so a repeated event is a repeated message. */
type OwnCommand<A extends AnyActor> = {
  [C in keyof A['commands'] & keyof Commands & string]: { readonly type: C; readonly data: z.input<Commands[C]['data']> }
}[keyof A['commands'] & keyof Commands & string]

/** What an effect may use. */
export type EffectContext = { readonly read: Reader; readonly backplane: Backplane; readonly jobs: Jobs; readonly clock: Clock }

/**
 * What an actor does about an event: `tell` makes commands of it for the actor itself (pure), `act` does something outside that may be repeated.
 * Event queues are unordered and may repeat; both must bear it.
 */
type Hearing<A extends AnyActor, E extends EventType> =
  | { readonly tell: (event: Heard<E>) => readonly OwnCommand<A>[] }
  | { readonly act: (event: Heard<E>, context: EffectContext) => Promise<void> }
export type Hearings<A extends AnyActor> = { readonly [E in A['hears'][number] & EventType]: Hearing<A, E> }
export const hearings = <A extends AnyActor>(_actor: A, h: Hearings<NoInfer<A>>): Hearings<A> => h
