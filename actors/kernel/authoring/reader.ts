import type { z } from 'zod'
import type { AnyActor, AnyQuery, Spec } from '../../../contracts/declare/messages.ts'
import { type AnyRecord, fill, type Loaded, type PartitionOf, type Ref, type ValueOf } from '../../../contracts/declare/records.ts'
import type { Refusal } from '../../../contracts/declare/rules.ts'
import type { Item, Store } from '../ports/store/port.ts'
/** Typed reads over the store, for views and turns. Values are parsed with their schema, so what an older version wrote arrives in today's form. */
export type Reader = {
  readonly get: <R extends Ref>(ref: R) => Promise<Loaded<R>>
  readonly all: <R extends Ref>(refs: readonly R[]) => Promise<Loaded<R>[]>
  /**
   * Items of a partition in key order, from `after` (a sort key, exclusive) on; `at` is each one's sort key.
   * @param options.beginning only those whose first name in the sort key begins so
   */
  readonly range: <R extends AnyRecord>(
    record: R,
    partition: PartitionOf<R>,
    options: { after?: string; limit: number; reverse?: boolean; beginning?: string },
  ) => Promise<{ items: { value: ValueOf<R>; at: string }[]; more: boolean }>
}

/** The value of an item as its record declares it: states and counters have an initial value, rows may be absent. */
export const parsed = (record: AnyRecord, item: Item | undefined): unknown => {
  if (item === undefined) return record.initial
  return record.value.parse(record.kind === 'counter' ? { ...(record.initial as object), ...item } : item)
}

export const reader = (store: Store): Reader => ({
  get: async <R extends Ref>(ref: R) => parsed(ref.record, (await store.get([ref.place]))[0]) as Loaded<R>,
  all: async <R extends Ref>(refs: readonly R[]) => {
    const items = await store.get(refs.map(r => r.place))
    return refs.map((ref, i) => parsed(ref.record, items[i]) as Loaded<R>)
  },
  range: async (record, partition, { after, limit, reverse, beginning = '' }) => {
    const prefix = `${record.sk.split('{')[0] ?? ''}${beginning}`
    const { items, more } = await store.query({
      table: record.table,
      pk: fill(record.pk, partition as Readonly<Record<string, string>>),
      prefix,
      limit,
      ...(after === undefined ? {} : { after }),
      ...(reverse === undefined ? {} : { reverse }),
    })
    return { items: items.map(item => ({ value: record.value.parse(item) as ValueOf<typeof record>, at: item.sk })), more }
  },
})

/** A read as a view sees it. `now` is epoch ms; of lists, `limit` is 1..100 and `after` is what the view gave as `next` (opaque to clients, checked by the edge). */
export type ReadRequest<D> = {
  readonly by: string
  readonly data: D
  readonly now: number
  readonly limit: number
  readonly after: string | undefined
}
type Extra<Q> = Q extends { extra?: infer X } ? { [K in keyof X]: X[K] extends z.ZodType ? z.infer<X[K]> : never } : unknown
type ReadAnswer<Q extends AnyQuery> =
  | Refusal<Q['refuses'][number]>
  | (Q extends { list?: true }
      ? { readonly items: readonly z.infer<Q['answer']>[]; readonly next: string | null } & Extra<Q>
      : { readonly body: z.infer<Q['answer']>; readonly version?: number })

/** The reads of an actor: a function a query, used by the edge in process; other actors use the functions beneath. */
export type Views<T extends Spec> = {
  readonly [Q in keyof T['queries']]: (
    request: ReadRequest<z.infer<T['queries'][Q]['data']>>,
    read: Reader,
  ) => Promise<ReadAnswer<T['queries'][Q]>>
}
export const defineViews = <T extends AnyActor>(_actor: T, views: Views<NoInfer<T>>): Views<T> => views
