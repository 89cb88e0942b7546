import type { z } from 'zod'
import type { Envelope, EventEnvelope } from '../../../contracts/declare/envelope.ts'
import { type AnyCommand, groupOf, type Message } from '../../../contracts/declare/messages.ts'
import type { Loaded, PageRef, Place, Ref } from '../../../contracts/declare/records.ts'
import { isRefusal, type Refusal } from '../../../contracts/declare/rules.ts'
import type { CommandsOf, Mesh } from '../../../contracts/derive/mesh.ts'
import type { EffectContext } from '../authoring/handlers.ts'
import type { ActorCode } from '../authoring/implement.ts'
import { parsed, type Reader, reader } from '../authoring/reader.ts'
import { memoryStore } from '../ports/store/memory.ts'
import type { Item, StoreWrite } from '../ports/store/port.ts'
import { additions, isExpired, placeOf } from '../ports/store/writes.ts'
import type { Command } from '../turn/command.ts'
import { fold } from '../turn/fold.ts'
import type { Items } from '../turn/items.ts'
import { planReads, type Snapshot, takeSnapshot } from '../turn/load.ts'
import { placeName, strictly, strictRules } from './strict-rules.ts'

type BodyOf<A> = { [S in keyof A]: A[S] extends z.ZodType ? z.infer<A[S]> : never }[keyof A]
/** What a test may say of a message besides who says what; by itself a message is new and comes a second after the last one. */
export type Circumstances = Partial<Pick<Message<unknown>, 'id' | 'at' | 'ifMatch' | 'ifNoneMatch' | 'redriven'>>
/** What became of a message: status and body of the answer, or the refusal's code; and the events. */
export type Outcome<Body = unknown> = {
  readonly id: string
  readonly at: string
  readonly status: number | undefined
  readonly refused: string | undefined
  readonly body: Body | undefined
  readonly version: number | undefined
  readonly events: readonly EventEnvelope[]
}

type Stored = { readonly place: Place; readonly value: unknown; readonly expiresAt: number | undefined }

/**
 * Rules at work in the kernel's own fold (`turn/fold.ts`) without an engine: each message is a turn of its own, writes go to a map, events are kept. For tests
 * of what a sequence of messages comes to. Values, events and answers are held against the contract.
 */
export const world = <M extends Mesh>(mesh: M, codes: readonly ActorCode[], start = '2026-11-20T09:00:00.000Z') => {
  type Commands = CommandsOf<M>
  type DataOf<C> = C extends keyof Commands ? (Commands[C] extends { data: infer D extends z.ZodType } ? z.input<D> : never) : never
  type AnswerTo<C> = C extends keyof Commands ? (Commands[C] extends { answer: infer A } ? BodyOf<A> : never) : never

  const items = new Map<string, Stored>()
  const versions = new Map<string, number>()
  const untold: EventEnvelope[] = []
  let now = Date.parse(start)
  let count = 0

  const found = (place: Place): Stored | undefined => {
    const item = items.get(placeName(place))
    return item && isExpired(item, now) ? undefined : item
  }
  const itemOf = ({ place: { table, pk, sk }, value, expiresAt }: Stored): Item => ({
    ...(value as object),
    pk,
    sk,
    version: versions.get(placeName({ table, pk, sk })) ?? 1,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  })
  const pageOf = ({ table, pk, prefix, limit }: PageRef) => {
    const all = [...items.values()].filter(
      ({ place }) => place.table === table && place.pk === pk && place.sk.startsWith(prefix) && found(place),
    )
    const inOrder = all.sort((x, y) => (x.place.sk < y.place.sk ? -1 : 1))
    return { items: inOrder.slice(0, limit).map(itemOf), more: all.length > limit }
  }
  const keep = (place: Place, value: unknown, expiresAt: number | undefined) => {
    items.set(placeName(place), { place, value, expiresAt })
    versions.set(placeName(place), (versions.get(placeName(place)) ?? 0) + 1)
  }
  /** Takes a write as the store does: where its condition does not hold the test fails, since nobody was in between. */
  const take = ({ record, write, value: written }: Items['changes'][number]) => {
    const place = placeOf(write)
    const name = placeName(place)
    if ('remove' in write) return items.delete(name)
    if ('put' in write) {
      if (write.when && 'version' in write.when && write.when.version === 0 && found(place)) throw new Error(`${name} is created twice`)
      return keep(place, strictly(record.value, written, name), write.put.expiresAt as number | undefined)
    }
    if (!('add' in write)) throw new Error(`${name}: no rule writes so`)
    // A turn need not load what it only adds to: the sums are the store's.
    const sums = { ...((found(place)?.value ?? record.initial) as Readonly<Record<string, number>>) }
    for (const { name: field, amount, bound } of additions(write)) {
      const sum = (sums[field] ?? 0) + amount
      if ('most' in bound ? sum > bound.most : sum < bound.least) throw new Error(`${name}: ${field} comes to ${sum}`)
      sums[field] = sum
    }
    return keep(place, strictly(record.value, sums, name), undefined)
  }
  const snapshotOf = (command: Command): Snapshot => {
    const plan = planReads([command])
    const read = (place: Place) => {
      const stored = found(place)
      return stored && itemOf(stored)
    }
    return takeSnapshot([command], plan, plan.places.map(read), plan.pages.map(pageOf))
  }

  const turn = (code: ActorCode, type: string, declaration: AnyCommand, message: Message<unknown>): Outcome => {
    const { id, at, by, data } = message
    const trace = { request: id, cause: id, traceparent: null }
    const envelope: Envelope = { v: 1, id, type, key: groupOf(declaration, message), by, at, data, trace }
    const sentAt = Date.parse(at)
    const snapshot = snapshotOf({ envelope, message, declaration, receives: 1, sentAt })
    const { place } = snapshot
    const folded = fold({ ...code, rules: strictRules(code, type, declaration) }, snapshot, Math.max(now, sentAt))
    if (folded.failed) throw folded.failed.cause
    const refusal = folded.decisions[0]?.refusal
    if (refusal) return { id, at, status: undefined, refused: refusal.refused, body: undefined, version: undefined, events: [] }
    if (folded.touched) keep(place, folded.state, folded.expiresAt ?? found(place)?.expiresAt)
    snapshot.items.changes.forEach(take)
    const events = folded.outbox.flatMap(entry => entry.events)
    untold.push(...events)
    const reply = folded.replies.get(id)
    return { id, at, status: reply?.status, refused: undefined, body: reply?.body, version: reply?.version, events }
  }

  /** Says a message, whose data is taken as a client would send it. */
  const say = <C extends keyof Commands & string>(by: string, type: C, data: DataOf<C>, c: Circumstances = {}): Outcome<AnswerTo<C>> => {
    const entry = mesh.commands.get(type)
    const code = codes.find(x => x.declaration.name === entry?.actor.name)
    if (!entry || !code) throw new Error(`nobody here handles ${type}`)
    if (c.at === undefined) now += 1000
    else now = Math.max(now, Date.parse(c.at))
    const id = c.id ?? `00000000-0000-7000-8000-${String(++count).padStart(12, '0')}`
    const message = { ...c, id, by, at: c.at ?? new Date(now).toISOString(), data: entry.command.data.parse(data) }
    return turn(code, type, entry.command, message) as Outcome<AnswerTo<C>>
  }
  /** Lets actors tell themselves what follows from the events so far, until nothing does. */
  const settle = (): void => {
    for (let event = untold.shift(); event; event = untold.shift())
      for (const code of codes) {
        const handler = code.handlers[event.type]
        if (!handler || !('toCommands' in handler)) continue
        const { id, by, at } = event
        for (const { type, data } of handler.toCommands(event)) {
          const command = code.declaration.commands[type] as AnyCommand
          turn(code, type, command, { id, by, at, data: command.data.parse(data) })
        }
      }
  }

  /** All that is stored, in the order of places: to compare what two histories come to. */
  const stored = (): readonly Stored[] => [...items.keys()].sort().flatMap(key => items.get(key) ?? [])
  /** A store with all of this in it. */
  const store = async () => {
    const copy = memoryStore({ clock: { now: () => now } })
    const puts = stored().map(({ place: { table, pk, sk }, value, expiresAt }): StoreWrite => {
      const item: Item = { ...(value as object), pk, sk, ...(expiresAt === undefined ? {} : { expiresAt }) }
      return { put: item, table }
    })
    for (let i = 0; i < puts.length; i += 100) await copy.commit(puts.slice(i, i + 100))
    return copy
  }
  return {
    say,
    settle,
    stored,
    store,
    read: async (): Promise<Reader> => reader(await store()),
    /** The value at a place, initial if nothing is stored. */
    at: <R extends Ref>(ref: R) => parsed(ref.record, found(ref.place)?.value as Item | undefined) as Loaded<R>,
    now: () => now,
    /** Moves the clock on. @param at RFC 3339 */
    until: (at: string) => {
      now = Math.max(now, Date.parse(at))
    },
  }
}

/** An answer that is no refusal. @throws when it is one */
export const granted = <A extends object>(answer: A): Exclude<A, Refusal> => {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.refused}`)
  return answer as Exclude<A, Refusal>
}

/** What an actor does outside about an event. @throws when it does nothing about events of this type */
export const acted = async (code: ActorCode, event: EventEnvelope, context: EffectContext): Promise<void> => {
  const handler = code.handlers[event.type]
  if (!handler || !('effect' in handler)) throw new Error(`${code.declaration.name} does nothing about ${event.type}`)
  await handler.effect(event, context)
}
