import type { AnyRecord, PartitionOf, ValueOf } from '../../../contracts/declare/records.ts'
import type { Reader } from './reader.ts'

/** Candidates of a list in its order, each with its place in it (`at`), from `after` (exclusive) on. */
export type Source<C> = (
  after: string | undefined,
  limit: number,
) => Promise<{ readonly items: readonly { readonly value: C; readonly at: string }[]; readonly more: boolean }>

/** Candidates a round after the first, and rounds: who hides thousands of items from a reader in a row makes the page short, not the answer slow. */
const ROUND = 100
const ROUNDS = 20

/**
 * Fills a page of a list of which a reader does not see everything: reads on until enough is found. One more than asked for is looked at, so `next`
 * is null exactly when the reader would see nothing further, and an empty last page never tells of hidden items.
 * @param show what the reader sees of each candidate, undefined where nothing
 */
export const fillPage = async <C, T>(
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
  source: Source<C>,
  show: (candidates: readonly C[]) => Promise<readonly (T | undefined)[]>,
): Promise<{ items: T[]; next: string | null }> => {
  const shown: { item: T; at: string }[] = []
  let last = after
  for (let round = 0; round < ROUNDS; round++) {
    const { items, more } = await source(last, round === 0 ? limit + 1 : ROUND)
    const visible = await show(items.map(i => i.value))
    items.forEach(({ at }, i) => {
      const item = visible[i]
      if (item !== undefined) shown.push({ item, at })
    })
    last = items.at(-1)?.at ?? last
    if (!more || shown.length > limit) break
    if (round === ROUNDS - 1) return { items: shown.map(s => s.item), next: last ?? null }
  }
  const page = shown.slice(0, limit)
  return { items: page.map(s => s.item), next: shown.length > limit ? (page.at(-1)?.at ?? null) : null }
}

/** The items of a partition as a source, in the order of their keys. */
export const stored =
  <R extends AnyRecord>(read: Reader, record: R, partition: PartitionOf<R>, { reverse = false } = {}): Source<ValueOf<R>> =>
  (after, limit) =>
    read.range(record, partition, { limit, reverse, ...(after === undefined ? {} : { after }) })

/** A list held in memory as a source, greatest key first; a key's order is the list's. */
export const descending = <C>(list: readonly C[], keyOf: (value: C) => string) => {
  const sorted = list.map(value => ({ value, at: keyOf(value) })).sort((x, y) => (x.at < y.at ? 1 : -1))
  /** Those after the key (exclusive). */
  const from = (after: string | undefined) => (after === undefined ? sorted : sorted.filter(c => c.at < after))
  const source: Source<C> = async (after, limit) => {
    const rest = from(after)
    return { items: rest.slice(0, limit), more: rest.length > limit }
  }
  return { from, source }
}
