import type { z } from 'zod'
import type { AnyCommand, Message, Spec, Statuses } from './messages.ts'
import type { Loaded, ValueOf, Write } from './records.ts'

/** What an actor decides: the types of its rules follow from its declaration. */

export type FieldError = { readonly pointer: string; readonly message: string }
export type Refusal<C extends string = string> = { readonly refused: C; readonly detail?: string; readonly errors?: readonly FieldError[] }
/** Says no. `detail` is for the caller: what was wrong, with which value, what to do. */
export const refuse = <const C extends string>(refused: C, detail: string, errors?: readonly FieldError[]): Refusal<C> => ({
  refused,
  detail,
  ...(errors === undefined ? {} : { errors }),
})
export const isRefusal = (x: unknown): x is Refusal => typeof x === 'object' && x !== null && 'refused' in x

type DataOf<T extends Spec, E extends keyof T['events']> = z.infer<T['events'][E]['data']>
/** The events of a state, as the rules name them. */
type EventsOn<T extends Spec, S> = {
  [E in keyof T['events'] & string]: T['events'][E]['of'] extends S ? { type: E; data: DataOf<T, E> } : never
}[keyof T['events'] & string]
export type LoadedOf<C extends AnyCommand> = C extends { loads?: (m: never) => infer L }
  ? { readonly [K in keyof L]: Loaded<L[K]> }
  : Record<never, never>
export type MessageOf<C extends AnyCommand> = Message<z.infer<C['data']>>
/** An answer: status, body, and for what carries an ETag its content version. */
export type Answer<A extends Statuses> = {
  [S in keyof A & number]: { readonly status: S; readonly body: A[S] extends z.ZodType ? z.infer<A[S]> : never; readonly version?: number }
}[keyof A & number]
/**
 * An event as `apply` sees it: what the rule said, who and when (the command's), and the id it will have. `now` is when it is committed, which may be
 * later than `at` if the command had to wait: what a returning client asks for ("since then") goes by it.
 */
export type Applied<D> = { readonly id: string; readonly at: string; readonly now: string; readonly by: string; readonly data: D }
/** The command that an event came of. */
export const commandOf = (eventId: string): string => eventId.slice(0, eventId.lastIndexOf('.'))

export type Rules<T extends Spec> = {
  /** What follows from a message: events, none if it is done already, or a refusal. Pure and total. */
  readonly decide: {
    readonly [C in keyof T['commands']]: (
      state: ValueOf<T['commands'][C]['on']>,
      message: MessageOf<T['commands'][C]>,
      loaded: LoadedOf<T['commands'][C]>,
    ) => readonly EventsOn<T, T['commands'][C]['on']>[] | Refusal<T['commands'][C]['refuses'][number]>
  }
  /** What an event changes: the state, and other items. Pure and total. `expiresAt` (epoch seconds) lets a tombstone go. */
  readonly apply: {
    readonly [E in keyof T['events']]: (
      state: ValueOf<T['events'][E]['of']>,
      event: Applied<DataOf<T, E>>,
    ) => { state: ValueOf<T['events'][E]['of']>; writes?: readonly Write[]; expiresAt?: number }
  }
  /** What the caller is told once it is done; a repeat is told alike. */
  readonly answer: {
    readonly [C in keyof T['commands']]: (
      state: ValueOf<T['commands'][C]['on']>,
      message: MessageOf<T['commands'][C]>,
      loaded: LoadedOf<T['commands'][C]>,
    ) => Answer<T['commands'][C]['answer']>
  }
}
/** The rules of an actor, checked against its declaration. */
export const rules = <T extends Spec>(_actor: T, r: Rules<NoInfer<T>>): Rules<T> => r

/**
 * Whether a redriven message comes too late: what it is about changed after it was sent, so an old toggle or edit must not undo a newer one.
 * @param changedAt when the target last changed (RFC 3339), if it exists
 */
export const superseded = (m: Pick<Message<unknown>, 'redriven' | 'at'>, changedAt: string | null | undefined): boolean =>
  m.redriven === true && changedAt != null && changedAt >= m.at
