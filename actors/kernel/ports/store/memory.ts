import type { Place } from '../../../../contracts/declare/records.ts'
import type { Clock } from '../clock/port.ts'
import { byBytes, checkKey, spoken } from './keys.ts'
import { type Condition, ConditionLost, type Item, type Store, type StoreWrite } from './port.ts'
import { copied, isTooLarge, tooLarge } from './values.ts'
import { additions, checked, isExpired, placeOf } from './writes.ts'

/** Called around every operation. What it throws `after` a commit is an answer lost: the commit stands. */
type StoreFault = (operation: 'get' | 'query' | 'commit', phase: 'before' | 'after') => void | Promise<void>
export type MemoryStoreOptions = { readonly clock: Pick<Clock, 'now'>; readonly fault?: StoreFault }
export type MemoryStore = Store & {
  /** All items of each table in the order of their keys, those that count as gone too. */
  readonly dump: () => Record<string, Item[]>
}

type Partition = { items: Map<string, Item>; order: string[] | undefined }

const copyOf = (item: Item): Item => copied(item, spoken({ table: '', ...item })) as Item

const holds = (when: Condition | undefined, item: Item | undefined): boolean => {
  if (when === undefined) return true
  if ('absent' in when) return item?.[when.absent] === undefined
  return when.version === 0 ? item === undefined : item?.version === when.version
}

/** State in this process. It keeps and refuses what DynamoDB does; being alone, it never answers with Conflict. */
export const memoryStore = ({ clock, fault }: MemoryStoreOptions): MemoryStore => {
  const tables = new Map<string, Map<string, Partition>>()
  const partition = (table: string, pk: string): Partition | undefined => tables.get(table)?.get(pk)
  const stored = ({ table, pk, sk }: Place): Item | undefined => partition(table, pk)?.items.get(sk)
  const found = (place: Place): Item | undefined => {
    const item = stored(place)
    return item && !isExpired(item, clock.now()) ? item : undefined
  }

  const keep = ({ table, pk, sk }: Place, item: Item | undefined) => {
    const partitions = tables.get(table) ?? new Map<string, Partition>()
    tables.set(table, partitions)
    const at = partitions.get(pk) ?? { items: new Map<string, Item>(), order: undefined }
    partitions.set(pk, at)
    if (!item || !at.items.has(sk)) at.order = undefined
    if (item) at.items.set(sk, item)
    else at.items.delete(sk)
  }
  const ordered = (at: Partition): string[] => {
    at.order ??= [...at.items.keys()].sort(byBytes)
    return at.order
  }

  /** The item after the write, undefined when it is removed, `lost` when its condition does not hold. */
  const outcome = (write: StoreWrite): Item | undefined | 'lost' => {
    const place = placeOf(write)
    const item = found(place)
    if ('put' in write) return holds(write.when, item) ? copyOf(write.put) : 'lost'
    if ('remove' in write) return undefined
    if ('check' in write) return holds(write.when, item) ? item : 'lost'
    if ('set' in write) return item && holds(write.when, item) ? copyOf({ ...item, ...write.values }) : 'lost'
    // As in DynamoDB, where an update cannot start from nothing while the expired item is still there.
    if (stored(place) && !item) return 'lost'
    const sums: Record<string, number> = {}
    for (const { name, amount, bound } of additions(write)) {
      const before = item?.[name] ?? 0
      if (typeof before !== 'number') throw new Error(`cannot add to ${spoken(place)}: ${name} is ${JSON.stringify(before)}`)
      const sum = before + amount
      if ('most' in bound ? sum > bound.most : sum < bound.least) return 'lost'
      sums[name] = sum
    }
    return { ...item, pk: place.pk, sk: place.sk, ...sums }
  }

  const commit = (writes: readonly StoreWrite[]) => {
    const outcomes = writes.map(write => ({ place: placeOf(write), item: outcome(write) }))
    const lost = outcomes.filter(o => o.item === 'lost').map(o => o.place)
    if (lost.length > 0) throw new ConditionLost(lost)
    const large = outcomes.filter(o => typeof o.item === 'object' && isTooLarge(o.item)).map(o => o.place)
    if (large.length > 0) throw tooLarge(large)
    for (const { place, item } of outcomes) if (item !== 'lost') keep(place, item)
  }

  const around = async <T>(operation: Parameters<StoreFault>[0], work: () => T): Promise<T> => {
    await fault?.(operation, 'before')
    const result = work()
    await fault?.(operation, 'after')
    return result
  }

  return {
    get: places =>
      around('get', () =>
        places.map(place => {
          checkKey(place)
          const item = found(place)
          return item && copyOf(item)
        }),
      ),
    query: ({ table, pk, prefix, after, limit, reverse }) =>
      around('query', () => {
        checkKey({ pk })
        const at = partition(table, pk)
        const items: Item[] = []
        if (!at) return { items, more: false }
        const keys = ordered(at)
        for (const sk of reverse ? keys.toReversed() : keys) {
          if (!sk.startsWith(prefix) || (after !== undefined && (reverse ? byBytes(sk, after) >= 0 : byBytes(sk, after) <= 0))) continue
          const item = found({ table, pk, sk })
          if (!item) continue
          if (items.length === limit) return { items, more: true }
          items.push(copyOf(item))
        }
        return { items, more: false }
      }),
    commit: writes => around('commit', () => commit(checked(writes))),
    dump: () =>
      Object.fromEntries(
        [...tables]
          .sort(([a], [b]) => byBytes(a, b))
          .map(([table, partitions]) => [
            table,
            [...partitions.keys()].sort(byBytes).flatMap(pk => {
              const at = partitions.get(pk)
              return at
                ? ordered(at)
                    .flatMap(sk => at.items.get(sk) ?? [])
                    .map(copyOf)
                : []
            }),
          ]),
      ),
  }
}
