import type { EventEnvelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { AnyRecord, PageRef, Place, Ref } from '../../../contracts/declare/records.ts'
import type { ActorCode } from '../authoring/implement.ts'
import { ConditionLost, Conflict, type StoreWrite } from '../ports/store/port.ts'
import type { Reach } from '../process/failpoints.ts'
import { isOurFault } from '../process/our-fault.ts'
import type { Ports } from '../process/ports.ts'
import { type Folded, fold, loadsOf, overtaken, type Pages, pageKey, RuleFailed, repeated, type Taken } from './fold.ts'
import { type Decided, Items, type Kept, keptOf, placeKey, stateItem, type Unpublished } from './items.ts'
import { claimPlace, decidedItem, decidedPlace } from './replies.ts'
export type TurnContext = {
  readonly code: ActorCode
  readonly ports: Pick<Ports, 'store' | 'events' | 'clock'>
  readonly reach: Reach
  readonly random: () => number
  /** Message ids whose events are known to be out: saves publishing them again before a commit. Losing it costs a publish, nothing else. */
  readonly published: { has: (id: string) => boolean; add: (id: string) => void }
}

/** What a turn comes to. `settled` are committed (now or before), with their replies; what is in neither waits for its next receive. */
export type Turned = {
  readonly settled: readonly { readonly taken: Taken; readonly reply: Reply; readonly fresh: boolean }[]
  readonly failed: RuleFailed | undefined
  /** Publishes the events of the settled messages; they may be acknowledged once it resolves. */
  readonly publish: () => Promise<void>
}

const ATTEMPTS = 8

/** Where a batch lies, all that its rules read, and what it knows of its messages. */
type Loaded = { readonly record: AnyRecord; readonly place: Place; readonly items: Items; readonly pages: Pages; readonly kept: Kept }

/** Step 1: the state and everything that the rules ask for, in one round of reads. `also`: places that a lost commit turned out to depend on. */
const load = async ({ ports }: TurnContext, batch: readonly Taken[], also: readonly Place[]): Promise<Loaded> => {
  const first = batch[0]
  if (!first) throw new Error('a turn needs a message')
  const record = first.command.on
  const { at } = record as unknown as { at: (key: Readonly<Record<string, string>>) => Ref }
  const place = at(first.command.key(first.message)).place
  const loads = batch.flatMap(taken => ofRule(taken, () => Object.values(loadsOf(taken))))
  const claims = batch.flatMap(t => (t.envelope.claim === undefined ? [] : [claimPlace(t.envelope.claim)]))
  const decided = batch.flatMap(t => (t.receives > 1 ? [decidedPlace(t.envelope.id)] : []))
  const places = [
    ...new Map(
      [place, ...claims, ...decided, ...also, ...loads.flatMap(l => (l.kind === 'ref' ? [l.place] : []))].map(p => [placeKey(p), p]),
    ).values(),
  ]
  const wanted = [...new Map(loads.flatMap(l => (l.kind === 'page' ? [[pageKey(l), l] as const] : []))).values()]
  const [found, pages] = await Promise.all([ports.store.get(places), Promise.all(wanted.map(page => readPage(ports, page)))])
  const items = new Items()
  places.forEach((p, i) => {
    items.read(p, found[i])
  })
  return { record, place, items, pages: new Map(pages), kept: keptOf(items.item(place)) }
}
const readPage = async ({ store }: Pick<Ports, 'store'>, page: PageRef) => {
  return [pageKey(page), await store.query({ table: page.table, pk: page.pk, prefix: page.prefix, limit: page.limit })] as const
}
/** What a message's rules throw outside the fold is theirs all the same. */
const ofRule = <T>({ envelope }: Taken, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw new RuleFailed(envelope.id, envelope.type, error)
  }
}

/** The topic is the actor's name; repeats do no harm. */
const publish = async ({ code, ports, reach, published }: TurnContext, entries: readonly Unpublished[]): Promise<void> => {
  const out = entries.filter(e => e.events.length > 0)
  const send = (events: readonly EventEnvelope[]) =>
    ports.events.publish(events.map(e => ({ topic: code.declaration.name, id: e.id, type: e.type, body: JSON.stringify(e) })))
  const events = out.flatMap(e => e.events)
  if (events.length > 0) {
    // A fault in the middle is armed: the first event goes alone, so that there is a middle.
    const alone = events.length > 1 && reach.armed('mid-publish') ? 1 : 0
    if (alone > 0) await send(events.slice(0, alone))
    await reach('mid-publish')
    await send(events.slice(alone))
  }
  for (const e of entries) published.add(e.id)
}

/** What was decided of the batch's messages before: by the state's last batch, or where there is no state, by itself. */
const decidedBefore = ({ items, kept }: Loaded, batch: readonly Taken[]): ReadonlyMap<string, Decided> => {
  const alone = batch.flatMap(t => (items.item(decidedPlace(t.envelope.id)) as Decided | undefined) ?? [])
  return new Map([...alone, ...kept.lastBatch].map(d => [d.id, d]))
}

/** Step 4: the state under its version, or, where a key without a state was only asked for what it has not, what was decided. */
const stateWrites = (
  { place, kept }: Loaded,
  f: Folded,
  lastBatch: Kept['lastBatch'],
  outbox: Kept['outbox'],
  now: number,
): StoreWrite[] => {
  if (kept.version === 0 && !f.touched)
    return [{ check: place, when: { version: 0 } }, ...f.decided.map(d => ({ put: decidedItem(d, now), table: decidedPlace(d.id).table }))]
  const put = stateItem(place, f.state, { version: kept.version + 1, lastBatch, outbox, expiresAt: f.expiresAt ?? kept.expiresAt })
  return [{ put, table: place.table, when: { version: kept.version } }]
}

/** What the caller of a repeated message is told: from the items as they are stored, before this batch's fresh messages changed them. */
const repeatedReply = (
  { code }: TurnContext,
  { items, pages, place, record }: Loaded,
  taken: Taken,
  decided: Decided | undefined,
): Reply | undefined => {
  if (!decided) return undefined
  const stored = items.asRead()
  return ofRule(taken, () => repeated(code, taken, decided, stored.value(record, place), stored, pages))
}

/**
 * One turn of one key: decides the batch's messages and commits them at once, exactly once, whatever was killed, duplicated or reordered before.
 * The protocol, and why it is enough, is in `docs/turn.md`.
 * @param batch messages of one key, in the order of the queue
 * @throws what an engine throws; then nothing is settled, and a redelivery finds out what became of it
 */
export const turn = async (context: TurnContext, batch: readonly Taken[]): Promise<Turned> => {
  const [first, ...others] = batch
  try {
    return await taken(context, batch)
  } catch (error) {
    if (error instanceof RuleFailed) {
      // Thrown outside the fold, it left those before it undone as well: they have a turn of their own.
      const at = batch.findIndex(t => t.envelope.id === error.id)
      return at > 0 ? turn(context, batch.slice(0, at)) : failedTurn(error)
    }
    if (!isOurFault(error) || !first) throw error
    // Each goes alone, to find the one that the engine refuses.
    return others.length > 0 ? turn(context, [first]) : failedTurn(new RuleFailed(first.envelope.id, first.envelope.type, error))
  }
}
const failedTurn = (failed: RuleFailed): Turned => ({ settled: [], failed, publish: async () => {} })

const taken = async (context: TurnContext, batch: readonly Taken[]): Promise<Turned> => {
  const { code, ports, reach, random, published } = context
  let also: readonly Place[] = []
  for (let attempt = 1; ; attempt++) {
    const l = await load(context, batch, also)
    await reach('after-load')
    const { items, pages, kept, place, record } = l
    // Nothing is decided before it was sent, whatever a host's clock says: who resumes a stream asks for what has a later time than they have heard of.
    const now = Math.max(ports.clock.now(), ...batch.map(t => t.sentAt))
    const before = decidedBefore(l, batch)
    const claimed = (t: Taken) =>
      t.envelope.claim === undefined ? undefined : (items.item(claimPlace(t.envelope.claim))?.reply as Reply | undefined)
    const dup = batch.filter(t => before.has(t.envelope.id))
    const answeredBefore = batch.filter(t => !before.has(t.envelope.id) && claimed(t) !== undefined)
    const fresh = batch.filter(t => !before.has(t.envelope.id) && claimed(t) === undefined)

    const f = fold({ code, place, record, items, pages, now, committed: new Date(now).toISOString() }, fresh, kept)
    await reach('after-decide')
    const repliesToRepeats = dup.map(t => [t.envelope.id, claimed(t) ?? repeatedReply(context, l, t, before.get(t.envelope.id))] as const)
    const earlier = answeredBefore.map(t => [t.envelope.id, claimed(t)] as const)
    const replies = new Map<string, Reply | undefined>([...f.replies, ...repliesToRepeats, ...earlier])
    const ids = new Set(batch.map(t => t.envelope.id))
    const outbox = [...kept.outbox.filter(o => ids.has(o.id)), ...f.outbox]
    if (f.decided.length > 0) {
      // Acknowledged messages whose events may not be out: their outbox entry is about to go.
      await publish(
        context,
        kept.outbox.filter(o => !ids.has(o.id) && !published.has(o.id)),
      ).catch(error => {
        // Their message became a dead letter of it. Those behind it must not follow.
        if (!isOurFault(error)) throw error
      })
      const decided = [...kept.lastBatch.filter(d => ids.has(d.id)), ...f.decided]
      // The state is as the last one of them left it.
      const lastBatch = [...overtaken(decided.slice(0, -1), replies), ...decided.slice(-1)]
      try {
        await ports.store.commit([...stateWrites(l, f, lastBatch, outbox, now), ...items.writes, ...f.extra])
      } catch (error) {
        if (!(error instanceof ConditionLost || error instanceof Conflict) || attempt >= ATTEMPTS) throw error
        if (error instanceof ConditionLost) also = error.places.filter(p => placeKey(p) !== placeKey(place))
        await ports.clock.sleep(random() * 2 ** attempt * 2)
        continue
      }
      await reach('after-commit')
    }
    const settled = batch.flatMap(taken => {
      const reply = replies.get(taken.envelope.id)
      return reply === undefined ? [] : [{ taken, reply, fresh: f.replies.has(taken.envelope.id) }]
    })
    return { settled, failed: f.failed, publish: () => publish(context, outbox) }
  }
}
