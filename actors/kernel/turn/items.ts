import { isDeepStrictEqual } from 'node:util'
import type { EventEnvelope, Reply } from '../../../contracts/declare/envelope.ts'
import type { AnyRecord, Place, Write } from '../../../contracts/declare/records.ts'
import type { Refusal } from '../../../contracts/declare/rules.ts'
import { parsed } from '../authoring/reader.ts'
import type { Item, StoreWrite } from '../ports/store/port.ts'

/**
 * What a turn remembers of the last messages of its key: that a redelivered one was decided, and how. A refusal or a reply is kept where the state does not
 * tell any more.
 */
export type Decision = { readonly id: string; readonly refusal?: Refusal; readonly reply?: Reply }
/** Events that were committed and may not be out yet. */
export type OutboxEntry = { readonly id: string; readonly events: readonly EventEnvelope[] }

/** The kernel's attributes of a state item; version 0: there is none yet. */
export type TurnRecord = {
  readonly version: number
  readonly lastBatch: readonly Decision[]
  readonly outbox: readonly OutboxEntry[]
  readonly expiresAt: number | undefined
}

export const turnRecordOf = (item: Item | undefined): TurnRecord => ({
  version: (item?.version as number | undefined) ?? 0,
  lastBatch: (item?.lastBatch as Decision[] | undefined) ?? [],
  outbox: (item?.outbox as OutboxEntry[] | undefined) ?? [],
  expiresAt: item?.expiresAt as number | undefined,
})

/** The item of a state. `value` comes first: no field of a state may pose as the kernel's. */
export const stateItem = (place: Place, value: unknown, kept: TurnRecord): Item => ({
  ...(value as Record<string, unknown>),
  pk: place.pk,
  sk: place.sk,
  version: kept.version,
  lastBatch: kept.lastBatch,
  outbox: kept.outbox,
  ...(kept.expiresAt === undefined ? {} : { expiresAt: kept.expiresAt }),
})

export const placeKey = (p: Place): string => `${p.table}\0${p.pk}\0${p.sk}`

/**
 * The items that a turn has read, and what its rules have made of them so far: later messages of a batch read what earlier ones wrote,
 * and one write an item goes to the store.
 */
export class Items {
  readonly #read = new Map<string, { place: Place; item: Item | undefined }>()
  /** Of what is written. */
  readonly #records = new Map<string, AnyRecord>()
  #values = new Map<string, unknown>()
  #writes = new Map<string, StoreWrite>()

  read(place: Place, item: Item | undefined): void {
    this.#read.set(placeKey(place), { place, item })
  }
  item(place: Place): Item | undefined {
    return this.#read.get(placeKey(place))?.item
  }
  has(place: Place): boolean {
    return this.#read.has(placeKey(place))
  }
  value(record: AnyRecord, place: Place): unknown {
    const key = placeKey(place)
    if (!this.#values.has(key)) this.#values.set(key, parsed(record, this.item(place)))
    return this.#values.get(key)
  }
  get writes(): readonly StoreWrite[] {
    return [...this.#writes.values()]
  }
  /** The writes with the values that they come to, as later reads of the turn see them; undefined where an item is removed. */
  get changes(): readonly { readonly record: AnyRecord; readonly write: StoreWrite; readonly value: unknown }[] {
    return [...this.#writes].flatMap(([key, write]) => {
      const record = this.#records.get(key)
      return record ? [{ record, write, value: this.#values.get(key) }] : []
    })
  }
  /** How many items the writes touch. */
  get count(): number {
    return this.#writes.size
  }

  /** The same items without what was written since. */
  asRead(): Items {
    const items = new Items()
    for (const { place, item } of this.#read.values()) items.read(place, item)
    return items
  }
  /** Runs `work`; if it throws, nothing that it wrote stays. */
  allOrNothing<T>(work: () => T): T {
    const values = new Map(this.#values)
    const writes = new Map(this.#writes)
    try {
      return work()
    } catch (error) {
      this.#values = values
      this.#writes = writes
      throw error
    }
  }

  /** Takes a rule's write. @throws when a rule changes what it did not load, or creates what exists: a fault of the rule */
  add(write: Write): void {
    const { place, record } = write
    const key = placeKey(place)
    this.#records.set(key, record)
    switch (write.write) {
      case 'put': {
        this.#values.set(key, write.value)
        this.#writes.set(key, record.kind === 'state' ? this.#created(place, write.value) : this.#put(place, write.value, write.expiresAt))
        return
      }
      case 'remove': {
        this.#values.set(key, undefined)
        this.#writes.set(key, { remove: place })
        return
      }
      case 'change': {
        if (!this.has(place)) throw new Error(`the rule changes ${place.table} ${place.pk} ${place.sk}, which its command does not load`)
        const before = this.value(record, place)
        const after = (write.change as (value: unknown) => unknown)(before)
        if (isDeepStrictEqual(before, after)) return
        this.#values.set(key, after)
        const kept = turnRecordOf(this.item(place))
        this.#writes.set(key, {
          put: stateItem(place, after, { ...kept, version: kept.version + 1 }),
          table: place.table,
          when: { version: kept.version },
        })
        return
      }
      case 'add': {
        const before = this.value(record, place) as Record<string, number>
        const after = { ...before }
        for (const [name, by] of Object.entries(write.by)) after[name] = (after[name] ?? 0) + by
        this.#values.set(key, after)
        const earlier = this.#writes.get(key)
        const by: Record<string, number> = earlier && 'add' in earlier ? { ...earlier.by } : {}
        for (const [name, more] of Object.entries(write.by)) by[name] = (by[name] ?? 0) + more
        const atMost = { ...(earlier && 'add' in earlier ? earlier.atMost : {}), ...write.atMost }
        this.#writes.set(key, { add: place, by, atMost })
        return
      }
    }
  }

  #put(place: Place, value: Record<string, unknown>, expiresAt: number | undefined): StoreWrite {
    return { put: { ...value, pk: place.pk, sk: place.sk, ...(expiresAt === undefined ? {} : { expiresAt }) }, table: place.table }
  }
  #created(place: Place, value: Record<string, unknown>): StoreWrite {
    if (this.item(place)) throw new Error(`the rule creates ${place.table} ${place.pk} ${place.sk}, which exists`)
    return {
      put: stateItem(place, value, { version: 1, lastBatch: [], outbox: [], expiresAt: undefined }),
      table: place.table,
      when: { version: 0 },
    }
  }
}
