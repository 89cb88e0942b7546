import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import type { AnyActor, Message } from '../../../contracts/declare/messages.ts'
import type { Write } from '../../../contracts/declare/records.ts'
import type { Applied, Refusal, Rules } from '../../../contracts/declare/rules.ts'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import type { Config } from '../config/config.ts'
import type { EffectContext, Handlers } from './handlers.ts'
import type { JobQueue } from './jobs.ts'
import type { Reader, ReadRequest, Views } from './reader.ts'

type Items = Readonly<Record<string, unknown>>
type Decision = readonly { readonly type: string; readonly data: unknown }[] | Refusal
type Change = { readonly state: unknown; readonly writes?: readonly Write[]; readonly expiresAt?: number }
type Answer = { readonly status: number; readonly body: unknown; readonly version?: number }
type ByType<F> = Readonly<Record<string, F>>

/** What a view answers: a page of a list, one thing, or a refusal. */
type ViewAnswer =
  | Refusal
  | { readonly items: readonly unknown[]; readonly next: string | null }
  | { readonly body: unknown; readonly version?: number }
export type View = (request: ReadRequest<unknown>, read: Reader) => Promise<ViewAnswer>
/** Reads by the type of their query. */
export type ViewTable = ByType<View>

type Handler =
  | { readonly toCommands: (event: EventEnvelope) => readonly { readonly type: string; readonly data: unknown }[] }
  | { readonly effect: (event: EventEnvelope, context: EffectContext) => Promise<void> }

/**
 * An actor with its code, as hosts run it. The types of states, messages and rows are let go here: values are parsed with the contract's schemas before
 * they reach these functions.
 * @property jobs none where the deployment says nothing of what they take
 */
export type ActorCode = {
  readonly declaration: AnyActor
  readonly rules: {
    readonly decide: ByType<(state: unknown, message: Message<unknown>, loaded: Items) => Decision>
    readonly apply: ByType<(state: unknown, event: Applied<unknown>) => Change>
    readonly answer: ByType<(state: unknown, message: Message<unknown>, loaded: Items) => Answer>
  }
  readonly handlers: ByType<Handler>
  readonly views: ViewTable
  readonly jobs: readonly JobQueue[]
}

/** The code of an actor as its author writes it: a rule a command and event, a handler a subscription, a view a query. */
export type Implementation<A extends AnyActor, M extends Mesh> = {
  readonly rules: Rules<A>
  readonly on: Handlers<A, M>
  readonly views: Views<A>
  readonly jobs?: readonly JobQueue[]
}

/** An actor of a deployment, once its configuration is known. */
export type Implemented<N extends string = string> = { readonly name: N; readonly code: (config: Config) => ActorCode }

/** The functions that the actors of a mesh are written with; a rule, handler or view that is missing does not compile. */
export const authoring = <const M extends Mesh>(_mesh: M) => ({
  /** Handlers, where they are too many for the place in which the actor is put together. */
  handlers: <A extends AnyActor>(_actor: A, on: Handlers<NoInfer<A>, M>): Handlers<A, M> => on,
  implement: <A extends AnyActor>(declaration: A, make: (config: Config) => Implementation<NoInfer<A>, M>): Implemented<A['name']> => ({
    name: declaration.name,
    code: config => {
      const { rules, on, views, jobs = [] } = make(config)
      return { declaration, rules, handlers: on, views, jobs } as unknown as ActorCode
    },
  }),
})
