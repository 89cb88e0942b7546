import type { Reply } from '../../../contracts/declare/envelope.ts'
import type { AnyRecord, PageRef, Place, Ref } from '../../../contracts/declare/records.ts'
import type { Item, Store } from '../ports/store/port.ts'
import { type Command, loadsOf, runRule } from './command.ts'
import { type Decision, Items, placeKey, type TurnRecord, turnRecordOf } from './items.ts'
import { claimPlace, decidedPlace } from './replies.ts'

type Page = { readonly items: readonly Item[]; readonly more: boolean }
/** The pages that a batch's rules read, by `pageKey`, as they are stored. */
export type Pages = ReadonlyMap<string, Page>
export const pageKey = (page: PageRef): string => `${page.table}\0${page.pk}\0${page.prefix}\0${page.limit}`

/** A key as a turn finds it: the state's place, everything that the batch's rules read, and which commands were decided before. */
export type Snapshot = {
  readonly batch: readonly Command[]
  readonly record: AnyRecord
  readonly place: Place
  readonly items: Items
  readonly pages: Pages
  readonly turnRecord: TurnRecord
  /** Commands that nobody decided yet, in their order. */
  readonly fresh: readonly Command[]
  /** Commands of the batch that an earlier turn decided and that came back. */
  readonly repeats: readonly { readonly command: Command; readonly decision: Decision }[]
  /** The replies that idempotency claims keep, by command id. */
  readonly claimed: ReadonlyMap<string, Reply>
}

/** What a batch needs to have read. */
export type ReadPlan = {
  readonly record: AnyRecord
  readonly place: Place
  readonly places: readonly Place[]
  readonly pages: readonly PageRef[]
}

/** Plans the reads of a batch: the state, what its rules ask for, claims, and decisions of commands that were received before. Each is read once. */
export const planReads = (batch: readonly Command[], alsoRead: readonly Place[] = []): ReadPlan => {
  const [first] = batch
  if (!first) throw new Error('a turn needs a message')
  const record = first.declaration.on
  const { at } = record as unknown as { at: (key: Readonly<Record<string, string>>) => Ref }
  const { place } = at(first.declaration.key(first.message))
  const loads = batch.flatMap(command => runRule(command, () => Object.values(loadsOf(command))))
  const refs = loads.flatMap(load => (load.kind === 'ref' ? [load.place] : []))
  const claims = batch.flatMap(({ envelope }) => (envelope.claim === undefined ? [] : [claimPlace(envelope.claim)]))
  const decided = batch.flatMap(({ envelope, receives }) => (receives > 1 ? [decidedPlace(envelope.id)] : []))
  const places = new Map([place, ...claims, ...decided, ...alsoRead, ...refs].map(p => [placeKey(p), p]))
  const pages = new Map(loads.flatMap(load => (load.kind === 'page' ? [[pageKey(load), load] as const] : [])))
  return { record, place, places: [...places.values()], pages: [...pages.values()] }
}

/** Puts together what the reads of a plan brought. `found` and `pages` are in the plan's order. */
export const takeSnapshot = (
  batch: readonly Command[],
  plan: ReadPlan,
  found: readonly (Item | undefined)[],
  pages: readonly Page[],
): Snapshot => {
  const items = new Items()
  plan.places.forEach((place, i) => {
    items.read(place, found[i])
  })
  const turnRecord = turnRecordOf(items.item(plan.place))
  const claimed = new Map(
    batch.flatMap(({ envelope: { id, claim } }) => {
      const reply = claim === undefined ? undefined : (items.item(claimPlace(claim))?.reply as Reply | undefined)
      return reply === undefined ? [] : [[id, reply] as const]
    }),
  )
  const decisions = decidedBefore(items, turnRecord, batch)
  const repeats = batch.flatMap(command => {
    const decision = decisions.get(command.envelope.id)
    return decision === undefined ? [] : [{ command, decision }]
  })
  const fresh = batch.filter(({ envelope: { id } }) => !decisions.has(id) && !claimed.has(id))
  const byKey = new Map(plan.pages.flatMap((page, i) => (pages[i] ? [[pageKey(page), pages[i]] as const] : [])))
  return { batch, record: plan.record, place: plan.place, items, pages: byKey, turnRecord, fresh, repeats, claimed }
}

/** What was decided of the batch's commands before: by the state's last batch or, where there is no state, in an item of the command's own. */
const decidedBefore = (items: Items, { lastBatch }: TurnRecord, batch: readonly Command[]): ReadonlyMap<string, Decision> => {
  const alone = batch.flatMap(({ envelope }) => (items.item(decidedPlace(envelope.id)) as Decision | undefined) ?? [])
  return new Map([...alone, ...lastBatch].map(decision => [decision.id, decision]))
}

/**
 * Step 1: reads the state and everything that the rules ask for, in one round.
 * @param alsoRead places that a lost commit turned out to depend on
 */
export const load = async (store: Store, batch: readonly Command[], alsoRead: readonly Place[]): Promise<Snapshot> => {
  const plan = planReads(batch, alsoRead)
  const [found, pages] = await Promise.all([
    store.get(plan.places),
    Promise.all(plan.pages.map(({ table, pk, prefix, limit }) => store.query({ table, pk, prefix, limit }))),
  ])
  return takeSnapshot(batch, plan, found, pages)
}
