import type { Envelope, EventEnvelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { AnyCommand, Message } from '../../../contracts/declare/messages.ts'
import type { AnyRecord, PageRef, Place, Ref, Write } from '../../../contracts/declare/records.ts'
import { type Applied, isRefusal, type Refusal } from '../../../contracts/declare/rules.ts'
import type { ActorCode } from '../authoring/implement.ts'
import type { Item, StoreWrite } from '../ports/store/port.ts'
import { type Decided, type Items, type Kept, placeKey, type Unpublished } from './items.ts'
import { locateReply } from './locate-reply.ts'
import { claimPlace, keptWithWork, operationItem, operationPlace } from './replies.ts'
/** A message of the batch: parsed, with what its queue said of it. */
export type Taken = {
  readonly envelope: Envelope
  readonly message: Message<unknown>
  readonly command: AnyCommand
  readonly receives: number
  /** When it was put into the mailbox, by the queue's clock (epoch ms). */
  readonly sentAt: number
}

/** A rule threw, or what it asked for is stored in a form that the contract does not know: a fault of the code, not of an engine. */
export class RuleFailed extends Error {
  readonly id: string
  constructor(id: string, type: string, cause: unknown) {
    super(`${type} ${id}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'RuleFailed'
    this.id = id
  }
}

export type Loads = Readonly<Record<string, Ref | PageRef>>
export const loadsOf = ({ command, message }: Pick<Taken, 'command' | 'message'>): Loads => command.loads?.(message) ?? {}
export const pageKey = (p: PageRef): string => `${p.table}\0${p.pk}\0${p.prefix}\0${p.limit}`
/** The pages that a batch's rules read, by `pageKey`, as they are stored. */
export type Pages = ReadonlyMap<string, { items: readonly Item[]; more: boolean }>

const loaded = (taken: Taken, items: Items, pages: Pages): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(loadsOf(taken)).map(([name, ref]) => [
      name,
      ref.kind === 'page' ? pageOf(ref, pages) : items.value(ref.record, ref.place),
    ]),
  )
const pageOf = (ref: PageRef, pages: Pages) => {
  const { items = [], more = false } = pages.get(pageKey(ref)) ?? {}
  return { items: items.map(item => ref.record.value.parse(item)), more }
}

const refusalReply = ({ declaration }: ActorCode, r: Refusal): Reply => ({
  status: declaration.refusals[r.refused]?.status ?? 500,
  problem: {
    code: r.refused,
    ...(r.detail === undefined ? {} : { detail: r.detail }),
    ...(r.errors === undefined ? {} : { errors: [...r.errors] }),
  },
})

/** The rule of a type. @throws when the actor has none: a fault of the code, which its types do not let through */
const ruleOf = <F>(rules: Readonly<Record<string, F>>, type: string): F => {
  const rule = rules[type]
  if (rule === undefined) throw new TypeError(`there is no rule for ${type}`)
  return rule
}

const answered = (code: ActorCode, taken: Taken, state: unknown, items: Items, pages: Pages): Reply => {
  const { status, body, version } = ruleOf(code.rules.answer, taken.envelope.type)(state, taken.message, loaded(taken, items, pages))
  return { status, ...(body === undefined ? {} : { body }), ...(version === undefined ? {} : { version }) }
}

/** The reply to a message that was decided before: the stored refusal or reply, or the answer from the state as it is now. */
export const repeated = (code: ActorCode, taken: Taken, decided: Decided, state: unknown, items: Items, pages: Pages): Reply =>
  decided.refusal ? refusalReply(code, decided.refusal) : (decided.reply ?? answered(code, taken, state, items, pages))

/** Characters of a reply that is kept beside the state; a larger one would crowd the item. */
const SMALL = 1_000
/**
 * What is remembered of messages whose state others have changed since: it would not tell again what they were told. A friend request that the message after
 * it accepted was answered as a request. So their replies are kept, but for large ones: these show a thing, and then show it as it is now.
 */
export const overtaken = (decided: readonly Decided[], replies: ReadonlyMap<string, Reply | undefined>): readonly Decided[] =>
  decided.map(d => {
    const reply = replies.get(d.id)
    return d.refusal || d.reply || !reply || JSON.stringify(reply).length > SMALL ? d : { ...d, reply }
  })

export type Folded = {
  readonly state: unknown
  readonly touched: boolean
  readonly expiresAt: number | undefined
  readonly decided: readonly Decided[]
  readonly outbox: readonly Unpublished[]
  readonly replies: ReadonlyMap<string, Reply>
  /** Claims and operations that go into the transaction. */
  readonly extra: readonly StoreWrite[]
  /** Why the fold stopped before the end of the batch: that message and its followers wait. */
  readonly failed: RuleFailed | undefined
}

/** The store takes 100 items a transaction; what does not fit waits for the next turn. */
const MOST_ITEMS = 100

type Context = {
  readonly code: ActorCode
  readonly place: Place
  readonly record: AnyRecord
  readonly items: Items
  readonly pages: Pages
  readonly now: number
  /** `now` as the rules see it (RFC 3339). */
  readonly committed: string
}

/** One message: what it decides, changes and answers. Pure but for `items`. */
const step = (context: Context, taken: Taken, before: unknown, version: number, firstN: number) => {
  const { code, items, pages, place } = context
  const { envelope, message } = taken
  const decision = ruleOf(code.rules.decide, envelope.type)(before, message, loaded(taken, items, pages))
  if (isRefusal(decision))
    return {
      state: before,
      refusal: decision,
      reply: refusalReply(code, decision),
      events: [] as EventEnvelope[],
      writes: [] as Write[],
      expiresAt: undefined,
    }
  let state = before
  let expiresAt: number | undefined
  const writes: Write[] = []
  const events = decision.map(({ type, data }, i): EventEnvelope => {
    const n = firstN + i
    const id = `${envelope.id}.${n}`
    const applied: Applied<unknown> = { id, at: envelope.at, now: context.committed, by: envelope.by, data }
    const result = ruleOf(code.rules.apply, type)(state, applied)
    state = result.state
    expiresAt = result.expiresAt ?? expiresAt
    writes.push(...(result.writes ?? []))
    return {
      v: 1,
      id,
      type,
      key: envelope.key,
      version,
      n,
      by: envelope.by,
      at: envelope.at,
      data,
      trace: { ...envelope.trace, cause: envelope.id },
    }
  })
  for (const write of writes) {
    if (placeKey(write.place) === placeKey(place)) throw new Error('the rule writes its own state as another item')
    items.add(write)
  }
  return { state, refusal: undefined, reply: answered(code, taken, state, items, pages), events, writes, expiresAt }
}

/** Claim and operation of a message: the reply is kept in the transaction that does the work, wherever somebody may ask for it later. */
const keptReplies = ({ items, now }: Context, { envelope, command, message }: Taken, reply: Reply): StoreWrite[] => [
  // A claim lives for a day; a message that waited longer goes on without it.
  ...(envelope.claim !== undefined && items.item(claimPlace(envelope.claim))
    ? [{ set: claimPlace(envelope.claim), values: { reply }, when: { absent: 'reply' } } as const]
    : []),
  ...(keptWithWork(envelope, reply, now)
    ? [
        {
          put: operationItem(envelope.id, locateReply(reply, command, message.data), now),
          table: operationPlace(envelope.id).table,
        } as const,
      ]
    : []),
]

/**
 * Folds the fresh messages of a batch over the state. A message sees what those before it wrote; the first whose rule throws ends the fold, those before it stand.
 * @param kept the state item's own attributes as loaded
 */
export const fold = (context: Context, fresh: readonly Taken[], kept: Kept): Folded => {
  const { items, record, place } = context
  let state: { readonly value: unknown } | undefined
  let expiresAt: number | undefined
  let touched = false
  let n = 0
  let failed: RuleFailed | undefined
  const decided: Decided[] = []
  const outbox: Unpublished[] = []
  const replies = new Map<string, Reply>()
  const extra: StoreWrite[] = []
  for (const taken of fresh) {
    const { id, type } = taken.envelope
    try {
      const fits = items.whole(() => {
        const s = step(context, taken, state ? state.value : items.value(record, place), kept.version + 1, n)
        const also = keptReplies(context, taken, s.reply)
        if (decided.length > 0 && items.countWith([]) + extra.length + also.length + 1 > MOST_ITEMS) throw new Full()
        extra.push(...also)
        return s
      })
      state = { value: fits.state }
      expiresAt = fits.expiresAt ?? expiresAt
      touched ||= fits.events.length > 0
      n += fits.events.length
      decided.push(fits.refusal ? { id, refusal: fits.refusal } : { id })
      outbox.push({ id, events: fits.events })
      replies.set(id, fits.reply)
    } catch (error) {
      if (error instanceof Full) break
      failed = new RuleFailed(id, type, error)
      break
    }
  }
  return { state: state?.value, touched, expiresAt, decided, outbox, replies, extra, failed }
}
class Full extends Error {}
