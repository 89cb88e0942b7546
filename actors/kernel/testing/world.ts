import type { z } from 'zod'
import type { EventEnvelope } from '../../../contracts/declare/envelope.ts'
import { type AnyCommand, groupOf, type Message } from '../../../contracts/declare/messages.ts'
import type { AnyRecord, Loaded, PageRef, Place, Ref, Write } from '../../../contracts/declare/records.ts'
import { isRefusal, type Refusal } from '../../../contracts/declare/rules.ts'
import type { CommandsOf, Mesh } from '../../../contracts/derive/mesh.ts'
import type { EffectContext } from '../authoring/handlers.ts'
import type { ActorCode } from '../authoring/implement.ts'
import { parsed, type Reader, reader } from '../authoring/reader.ts'
import { memoryStore } from '../ports/store/memory.ts'
import type { Item, StoreWrite } from '../ports/store/port.ts'

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
type Rule<K extends keyof ActorCode['rules']> = NonNullable<ActorCode['rules'][K][string]>
const keyOf = ({ table, pk, sk }: Place) => `${table}|${pk}|${sk}`
/** As the contract has it: a rule that says or stores anything else fails the test. */
const strictly = (schema: z.ZodType, value: unknown, what: string) => {
  const result = schema.safeParse(value)
  if (!result.success) throw new Error(`${what} is against the contract: ${result.error.message}`)
  return result.data
}

/**
 * Rules at work without a kernel: messages are decided one by one, writes go to a map, events are kept. For tests of what a sequence of messages comes to.
 * Values, events and answers are held against the contract.
 */
export const world = <M extends Mesh>(mesh: M, codes: readonly ActorCode[], start = '2026-11-20T09:00:00.000Z') => {
  type Commands = CommandsOf<M>
  type DataOf<C> = C extends keyof Commands ? (Commands[C] extends { data: infer D extends z.ZodType } ? z.input<D> : never) : never
  type AnswerTo<C> = C extends keyof Commands ? (Commands[C] extends { answer: infer A } ? BodyOf<A> : never) : never

  const items = new Map<string, Stored>()
  const untold: EventEnvelope[] = []
  let now = Date.parse(start)
  let count = 0

  const found = (place: Place): Stored | undefined => {
    const item = items.get(keyOf(place))
    return item?.expiresAt !== undefined && item.expiresAt * 1000 <= now ? undefined : item
  }
  const value = (record: AnyRecord, place: Place): unknown => found(place)?.value ?? record.initial
  const keep = (record: AnyRecord, place: Place, value: unknown, expiresAt?: number) =>
    items.set(keyOf(place), { place, value: strictly(record.value, value, keyOf(place)), expiresAt })
  const page = ({ table, pk, prefix, limit }: PageRef) => {
    const all = [...items.values()].filter(
      ({ place }) => place.table === table && place.pk === pk && place.sk.startsWith(prefix) && found(place),
    )
    const inOrder = all.sort((x, y) => (x.place.sk < y.place.sk ? -1 : 1))
    return { items: inOrder.slice(0, limit).map(i => i.value), more: all.length > limit }
  }

  const write = (w: Write, loads: readonly (Ref | PageRef)[]) => {
    const { record, place } = w
    switch (w.write) {
      case 'put':
        if (record.kind === 'state' && found(place)) throw new Error(`${keyOf(place)} is created twice`)
        return keep(record, place, w.value, w.expiresAt)
      case 'remove':
        return items.delete(keyOf(place))
      case 'change': {
        if (!loads.some(l => l.kind === 'ref' && keyOf(l.place) === keyOf(place)))
          throw new Error(`${keyOf(place)} is changed but not loaded`)
        return keep(record, place, (w.change as (value: unknown) => unknown)(value(record, place)), found(place)?.expiresAt)
      }
      case 'add': {
        const sums = { ...(value(record, place) as Record<string, number>) }
        for (const [name, by] of Object.entries(w.by)) {
          sums[name] = (sums[name] ?? 0) + by
          if (sums[name] < 0 || sums[name] > (w.atMost[name] ?? Number.POSITIVE_INFINITY))
            throw new Error(`${keyOf(place)}: ${name} comes to ${sums[name]}`)
        }
        return keep(record, place, sums)
      }
    }
  }

  const turn = (code: ActorCode, type: string, command: AnyCommand, message: Message<unknown>): Outcome => {
    const { at: placeOf } = command.on as unknown as { at: (key: unknown) => Ref }
    const { place } = placeOf(command.key(message))
    const state = () => value(command.on, place)
    const loads = Object.entries(command.loads?.(message) ?? {})
    const loaded = () => Object.fromEntries(loads.map(([name, l]) => [name, l.kind === 'page' ? page(l) : value(l.record, l.place)]))
    const { id, at, by } = message
    const decision = (code.rules.decide[type] as Rule<'decide'>)(state(), message, loaded())
    if (isRefusal(decision)) {
      if (!command.refuses.includes(decision.refused)) throw new Error(`${type} does not declare ${decision.refused}`)
      return { id, at, status: undefined, refused: decision.refused, body: undefined, version: undefined, events: [] }
    }
    const events = decision.map((e, n): EventEnvelope => {
      const data = strictly(code.declaration.events[e.type]?.data as z.ZodType, e.data, e.type)
      const eventId = `${id}.${n}`
      const applied = (code.rules.apply[e.type] as Rule<'apply'>)(state(), {
        id: eventId,
        at,
        now: new Date(Math.max(now, Date.parse(at))).toISOString(),
        by,
        data,
      })
      keep(command.on, place, applied.state, applied.expiresAt ?? found(place)?.expiresAt)
      for (const w of applied.writes ?? [])
        write(
          w,
          loads.map(([, l]) => l),
        )
      const key = groupOf(command, message)
      return { v: 1, id: eventId, type: e.type, key, version: count, n, by, at, data, trace: { request: id, cause: id, traceparent: null } }
    })
    untold.push(...events)
    const answer = (code.rules.answer[type] as Rule<'answer'>)(state(), message, loaded())
    const shape = command.answer[answer.status as keyof typeof command.answer]
    if (!shape) throw new Error(`${type} does not declare ${answer.status}`)
    return { id, at, status: answer.status, refused: undefined, body: strictly(shape, answer.body, type), version: answer.version, events }
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
