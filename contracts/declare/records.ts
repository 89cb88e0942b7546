import type { z } from 'zod'

/**
 * What an actor stores. A record says once where its items lie, their schema and whom they belong to; tables, references and the types of the rules are
 * derived from it.
 */

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

export type KeyOf<T extends Template> = { readonly [F in Fields<T['pk']> | Fields<T['sk']>]: string }
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
