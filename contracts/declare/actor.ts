import type { z } from 'zod'

/**
 * How an actor is declared. Everything about a command (route, data, key, refusals, answers) and about a stored item (place, schema, subject)
 * is said once, with these functions; routes, OpenAPI, tables, topics, filters and the types of the rules are derived from it.
 */

// ── Records: what is stored ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The names between braces in a template: `'post#{postId}'` -> `'postId'`. */
export type Fields<T extends string> = T extends `${string}{${infer F}}${infer Rest}` ? F | Fields<Rest> : never

/** Where an item lies: table, partition key and sort key. */
export type Place = { readonly table: string; readonly pk: string; readonly sk: string }

/** A reference to one item of a record: its place and, as a type, its value. */
export type Ref<R extends AnyRecord = AnyRecord> = { readonly kind: 'ref'; readonly record: R; readonly place: Place }
/** A reference to the first `limit` items of a partition whose sort key begins with `prefix`. */
export type PageRef<R extends AnyRecord = AnyRecord> = {
  readonly kind: 'page'
  readonly record: R
  readonly table: string
  readonly pk: string
  readonly prefix: string
  readonly limit: number
}

/** A change to an item that is not the turn's own state. */
export type Write =
  | {
      readonly write: 'put'
      readonly record: AnyRecord
      readonly place: Place
      readonly value: Record<string, unknown>
      readonly expiresAt?: number
    }
  | { readonly write: 'remove'; readonly record: AnyRecord; readonly place: Place }
  | { readonly write: 'change'; readonly record: AnyRecord; readonly place: Place; readonly change: (value: never) => unknown }
  | {
      readonly write: 'add'
      readonly record: AnyRecord
      readonly place: Place
      readonly by: Readonly<Record<string, number>>
      readonly atMost: Readonly<Record<string, number>>
    }

type Template = { table: string; pk: string; sk: string; value: z.ZodType }
export type AnyRecord = Template & {
  readonly kind: 'state' | 'row' | 'counter'
  readonly subject: string | readonly string[]
  readonly initial?: unknown
}

type KeyOf<T extends Template> = { readonly [F in Fields<T['pk']> | Fields<T['sk']>]: string }
export type PartitionOf<R extends Template> = { readonly [F in Fields<R['pk']>]: string }
export type ValueOf<R extends Template> = z.infer<R['value']>

/** A template's text and names in turn. There are only as many as the contract has, and every place of every item is made of one. */
const taken = new Map<string, readonly string[]>()
const partsOf = (template: string): readonly string[] => {
  const known = taken.get(template)
  if (known) return known
  const parts = template.split(/\{(\w+)\}/)
  taken.set(template, parts)
  return parts
}

/** Puts values into a template. Ids hold no `#` (the id schemas see to it), so one key cannot pose as another. */
export const fill = (template: string, fields: Readonly<Record<string, string>>): string => {
  const parts = partsOf(template)
  let filled = parts[0] ?? ''
  for (let i = 1; i < parts.length; i += 2) {
    const name = parts[i] ?? ''
    const value = fields[name]
    if (value === undefined || value === '' || value.includes('#'))
      throw new Error(`cannot fill ${template}: ${name} is ${JSON.stringify(value)}`)
    filled += value + parts[i + 1]
  }
  return filled
}

const placer =
  <const T extends Template>(t: T) =>
  (key: KeyOf<T>): Place => ({ table: t.table, pk: fill(t.pk, key), sk: fill(t.sk, key) })

/**
 * The state of a key: one item, written by the turns of that key under its version. Turns of other keys change it with `change`, which the store
 * accepts only if the version they loaded still stands.
 * @param t.initial the state of a key that nothing was written for yet
 * @param t.subject the key fields that name the people whom the item belongs to
 */
export const state = <const T extends Template & { subject: string | readonly string[]; initial: unknown }>(
  t: T & { initial: z.infer<T['value']>; subject: Fields<T['pk']> | readonly Fields<T['pk']>[] },
) => {
  const place = placer<T>(t)
  const record: StateRecord<T> = { kind: 'state', ...t }
  return Object.assign(record, {
    at: (key: KeyOf<T>) => ({ kind: 'ref' as const, record, place: place(key) }),
    /** Writes the item for the first time; the turn is decided anew if it exists already. */
    create: (key: KeyOf<T>, value: z.infer<T['value']>): Write => ({
      write: 'put',
      record,
      place: place(key),
      value: value as Record<string, unknown>,
    }),
    /** Changes the item as it was loaded (the command's `loads` must name it). */
    change: (key: KeyOf<T>, change: (value: z.infer<T['value']>) => z.infer<T['value']>): Write => ({
      write: 'change',
      record,
      place: place(key),
      change: change as (value: never) => unknown,
    }),
  })
}
type StateRecord<T extends Template> = T & {
  readonly kind: 'state'
  readonly subject: string | readonly string[]
  readonly initial: z.infer<T['value']>
}

/** A row: an item that only the turns of one key write, so the key's version guards it. `subject` names the value's field that holds the person. */
export const row = <const T extends Template & { subject: keyof z.infer<T['value']> & string }>(t: T) => {
  const place = placer(t)
  const record: RowRecord<T> = { kind: 'row', ...t }
  return Object.assign(record, {
    at: (key: KeyOf<T>) => ({ kind: 'ref' as const, record, place: place(key) }),
    /** The first `limit` rows of a partition, for work that goes on in pages. */
    page: (partition: PartitionOf<T>, limit: number) => ({
      kind: 'page' as const,
      record,
      table: t.table,
      pk: fill(t.pk, partition),
      prefix: t.sk.split('{')[0] ?? '',
      limit,
    }),
    /** @param expiresAt epoch seconds after which the item counts as gone */
    put: (value: z.infer<T['value']>, expiresAt?: number): Write => ({
      write: 'put',
      record,
      place: place(value as KeyOf<T>),
      value: value as Record<string, unknown>,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
    remove: (key: KeyOf<T>): Write => ({ write: 'remove', record, place: place(key) }),
  })
}
type RowRecord<T extends Template> = T & { readonly kind: 'row'; readonly subject: string | readonly string[] }

/** Counters that turns of several keys add to. `add` fails, and the turn is decided anew, when a sum would pass its `atMost`. */
export const counter = <const T extends Template & { subject: Fields<T['pk']>; initial: z.infer<T['value']> }>(t: T) => {
  const place = placer(t)
  const record: CounterRecord<T> = { kind: 'counter', ...t }
  return Object.assign(record, {
    at: (key: KeyOf<T>) => ({ kind: 'ref' as const, record, place: place(key) }),
    add: (
      key: KeyOf<T>,
      by: { [K in keyof z.infer<T['value']>]?: number },
      atMost: { [K in keyof z.infer<T['value']>]?: number } = {},
    ): Write => ({
      write: 'add',
      record,
      place: place(key),
      by: by as Record<string, number>,
      atMost: atMost as Record<string, number>,
    }),
  })
}
type CounterRecord<T extends Template> = T & {
  readonly kind: 'counter'
  readonly subject: string | readonly string[]
  readonly initial: unknown
}

/** What a reference loads: a state or counter (initial when nothing is stored), a row or nothing, a page of rows. */
export type Loaded<R> =
  R extends PageRef<infer P>
    ? { items: ValueOf<P>[]; more: boolean }
    : R extends Ref<infer P>
      ? P['kind'] extends 'row'
        ? ValueOf<P> | undefined
        : ValueOf<P>
      : never

// ── Messages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Who may use a route; the access table (`access.ts`) says what everybody else gets. */
export type Who =
  | 'anyone' // no token needed
  | 'signed-in' // everybody with a token; nothing of another person is touched
  | 'person' // not those blocked, either way
  | 'circle' // the person and their friends
  | 'reader' // a post's author and their friends
  | 'author' // a post's author
  | 'comment-author'
  | 'comment-or-post-author'
  | 'recipient' // the person whom a notification was given out to
  | 'pair' // two people; the rule says
  | 'mesh' // no client: other actors and the mesh itself

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

type Statuses = { readonly [S in 200 | 201 | 204]?: z.ZodType }
type Refs = Readonly<Record<string, Ref | PageRef>>

type CommandSpec<S extends AnyRecord & { kind: 'state' }, D extends z.ZodType, A extends Statuses, R extends string, L extends Refs> = {
  /** `'POST /v1/posts'`; absent for messages that only the mesh sends. */
  readonly http?: string
  readonly who: Who
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

// ── Rules: what is decided ─────────────────────────────────────────────────────────────────────────────────────────────────────

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
