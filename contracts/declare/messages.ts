import type { z } from 'zod'
import { type AnyRecord, fill, type KeyOf, type PageRef, type Ref } from './records.ts'

/**
 * What an actor is told, asked and tells. Everything about a message (route, data, key, refusals, answers) is said once; routes, documents, topics,
 * filters and the types of the rules are derived from it.
 */

/** Who may use a route; the access table (`access.ts`) says what everybody else gets. */
export type Who =
  | 'anyone' // no token needed
  | 'signed-in' // everybody with a token; nothing of another person is touched
  | 'person' // not those blocked, either way
  | 'owner' // the person themselves, below whose path it lies
  | 'circle' // the person and their friends
  | 'reader' // a post's author and their friends
  | 'author' // a post's author
  | 'comment-author'
  | 'comment-or-post-author'
  | 'recipient' // the person whom a notification was given out to
  | 'pair' // two people; the rule says
  | 'mesh' // no client: other actors and the mesh itself

/** How a caller with a token stands to the person whose thing a route is about (the access table says what each means). */
export type Standing = 'owner' | 'commenter' | 'friend' | 'stranger' | 'blocked' | 'blocker' | 'unknown'

/** Content versions that a condition names (RFC 9110, 13.1); `*`: any, as long as the thing exists. */
export type Versions = '*' | readonly number[]

/** A command as the rules see it. `at` is when the edge accepted it (RFC 3339), `by` the caller. */
export type Message<D> = {
  readonly id: string
  readonly by: string
  readonly at: string
  readonly data: D
  /** What the thing must be like, by `If-Match`; absent: no condition. */
  readonly ifMatch?: Versions
  /** What it must not be like, by `If-None-Match`; absent: no condition. */
  readonly ifNoneMatch?: Versions
  /** It was a dead letter and comes late: see `superseded`. */
  readonly redriven?: boolean
}

export type Statuses = { readonly [S in 200 | 201 | 204]?: z.ZodType }
type Refs = Readonly<Record<string, Ref | PageRef>>

type CommandSpec<S extends AnyRecord & { kind: 'state' }, D extends z.ZodType, A extends Statuses, R extends string, L extends Refs> = {
  /** `'POST /v1/posts'`; absent for messages that only the mesh sends. */
  readonly http?: string
  readonly who: Who
  /** Of a command between two people (`who: 'pair'`): the standings that it refuses, each with its code; all others are let in. */
  readonly between?: { readonly [S in Standing]?: NoInfer<R> }
  /** Path parameters and body fields together. */
  readonly data: D
  readonly answer: A
  readonly refuses: readonly R[]
  readonly key: (m: Message<z.infer<D>>) => KeyOf<S>
  /** Items that the rule reads besides its state: own rows, or other actors' items. */
  readonly loads?: (m: Message<z.infer<D>>) => L
  readonly summary: string
}
/** A command for the state `on`. */
export const command = <
  S extends AnyRecord & { kind: 'state' },
  D extends z.ZodType,
  A extends Statuses,
  const R extends string = never,
  L extends Refs = Record<never, never>,
>(
  on: S,
  spec: CommandSpec<S, D, A, R, L>,
) => ({ kind: 'command' as const, on, ...spec })
// biome-ignore lint/suspicious/noExplicitAny: the message of a command of unknown data, in the position of a parameter
type AnyMessage = any
export type AnyCommand = {
  readonly kind: 'command'
  readonly on: AnyRecord & { kind: 'state' }
  readonly http?: string
  readonly who: Who
  readonly between?: { readonly [S in Standing]?: string }
  readonly data: z.ZodType
  readonly answer: Statuses
  readonly refuses: readonly string[]
  readonly key: (m: AnyMessage) => Readonly<Record<string, string>>
  readonly loads?: (m: AnyMessage) => Refs
  readonly summary: string
}

/** A read. `list` makes the answer `{ items, next, ...extra }` and adds `limit` and `cursor` to the parameters. `versioned` answers carry an ETag. */
export const query = <
  D extends z.ZodObject,
  A extends z.ZodType,
  const R extends string = never,
  const L extends boolean = false,
  X extends Readonly<Record<string, z.ZodType>> = Record<never, never>,
>(spec: {
  readonly http: string
  readonly who: Who
  readonly data: D
  readonly answer: A
  readonly list?: L
  /** What a list answers besides `items` and `next`. */
  readonly extra?: X
  readonly versioned?: boolean
  readonly refuses: readonly R[]
  /** Where a read refuses with another status than the code has for writes. */
  readonly statuses?: { readonly [C in NoInfer<R>]?: number }
  readonly summary: string
}) => ({ kind: 'query' as const, ...spec })
export type AnyQuery = {
  readonly kind: 'query'
  readonly http: string
  readonly who: Who
  readonly data: z.ZodObject
  readonly answer: z.ZodType
  readonly list?: boolean
  readonly extra?: Readonly<Record<string, z.ZodType>>
  readonly versioned?: boolean
  readonly refuses: readonly string[]
  readonly statuses?: Readonly<Record<string, number>>
  readonly summary: string
}

/** An event of the state `of`. A snapshot supersedes older ones of its key (newest version wins); a fact is kept by its id and never dropped for age. */
export const snapshot = <S extends AnyRecord, D extends z.ZodType>(of: S, data: D) => ({ kind: 'snapshot' as const, of, data })
export const fact = <S extends AnyRecord, D extends z.ZodType>(of: S, data: D) => ({ kind: 'fact' as const, of, data })
export type AnyEvent = { readonly kind: 'snapshot' | 'fact'; readonly of: AnyRecord; readonly data: z.ZodType }

/** A refusal: its status and the sentence its documentation page begins with. */
export type Problem = { readonly status: number; readonly title: string }
export const problem = (status: number, title: string): Problem => ({ status, title })

export type Spec = {
  readonly records: Readonly<Record<string, AnyRecord>>
  readonly refusals: Readonly<Record<string, Problem>>
  readonly events: Readonly<Record<string, AnyEvent>>
  readonly commands: Readonly<Record<string, AnyCommand>>
  readonly queries: Readonly<Record<string, AnyQuery>>
  /** The types of the events that it is told of: any actor's, its own included. */
  readonly subscribes: readonly string[]
}
/** Declares an actor; a refusal that is used but not declared does not compile. */
export const actor = <const N extends string, const T extends Spec>(
  name: N,
  spec: T & {
    commands: { [C in keyof T['commands']]: { refuses: readonly (keyof T['refusals'])[] } }
    queries: { [Q in keyof T['queries']]: { refuses: readonly (keyof T['refusals'])[] } }
  },
) => ({ name, ...(spec as T) })
export type AnyActor = { readonly name: string } & Spec

/** The mailbox group of a command: the place of its state. */
export const groupOf = (command: AnyCommand, message: Parameters<AnyCommand['key']>[0]): string => {
  const key = command.key(message)
  return `${fill(command.on.pk, key)}/${fill(command.on.sk, key)}`
}
