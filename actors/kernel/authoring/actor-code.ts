import type { AnyActor, Applied, Message, Refusal, Write } from '../../../contracts/declare/actor.ts'
import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import type { Work } from '../worker/jobs.ts'
import type { EffectContext } from './handlers.ts'

type Loads = Readonly<Record<string, unknown>>
/** Rules as the kernel runs them; their types were checked where they were written (`rules`). */
type AnyRules = {
  readonly decide: Readonly<
    Record<string, (state: never, message: never, loaded: never) => readonly { type: string; data: unknown }[] | Refusal>
  >
  readonly apply: Readonly<
    Record<string, (state: never, event: never) => { state: unknown; writes?: readonly Write[]; expiresAt?: number }>
  >
  readonly answer: Readonly<
    Record<string, (state: never, message: never, loaded: never) => { status: number; body: unknown; version?: number }>
  >
}
type AnyHearing =
  | { readonly tell: (event: never) => readonly { type: string; data: unknown }[] }
  | { readonly act: (event: never, context: EffectContext) => Promise<void> }

/** An actor with its code: what a host runs. */
export type ActorCode = {
  readonly declaration: AnyActor
  readonly rules: AnyRules
  readonly hearings: Readonly<Record<string, AnyHearing>>
  /** What is done outside, as jobs that are retried; none where the deployment says nothing of what it takes. */
  readonly works?: readonly Work[]
}

/** The functions of one command, with their types let go: values were parsed with the contract's schemas before they come here. */
export type Decide = (state: unknown, message: Message<unknown>, loaded: Loads) => readonly { type: string; data: unknown }[] | Refusal
export type Apply = (state: unknown, event: Applied<unknown>) => { state: unknown; writes?: readonly Write[]; expiresAt?: number }
export type AnswerOf = (state: unknown, message: Message<unknown>, loaded: Loads) => { status: number; body: unknown; version?: number }
export type Tell = (event: EventEnvelope) => readonly { type: string; data: unknown }[]
export type Act = (event: EventEnvelope, context: EffectContext) => Promise<void>
