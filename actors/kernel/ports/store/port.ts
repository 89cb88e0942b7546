import type { Place } from '../../../../contracts/declare/records.ts'

/** An item as it is stored: plain values, its place, and the kernel's own attributes. */
export type Item = Readonly<Record<string, unknown>> & { readonly pk: string; readonly sk: string }

/**
 * What a condition asks of the item as it stands: that its `version` is this one (0: that it does not exist), or that an attribute is absent.
 * An expired item does not exist and has no attributes.
 */
export type Condition = { readonly version: number } | { readonly absent: string }

/** One write of a commit. `item.expiresAt` (epoch seconds) makes it count as gone from then on; every read leaves such items out. */
export type StoreWrite =
  | { readonly put: Item; readonly table: string; readonly when?: Condition }
  | { readonly remove: Place }
  /** Adds to numbers, absent ones counting as 0; refused when a sum would grow past its `atMost` or shrink below 0, or when the item has expired. */
  | { readonly add: Place; readonly by: Readonly<Record<string, number>>; readonly atMost: Readonly<Record<string, number>> }
  /** Writes nothing: the commit happens only if the condition holds. */
  | { readonly check: Place; readonly when: Condition }
  /** Sets attributes of an item that exists; undefined takes one away. */
  | { readonly set: Place; readonly values: Readonly<Record<string, unknown>>; readonly when?: Condition }

export type Range = {
  readonly table: string
  readonly pk: string
  /** Only sort keys that begin so. */
  readonly prefix: string
  /** The last sort key already seen (exclusive), in the direction of reading. */
  readonly after?: string
  readonly limit: number
  readonly reverse?: boolean
}

/**
 * Where state lives. All reads are strongly consistent. Tables are named without the deployment's prefix.
 */
export type Store = {
  /** Items by place, in the order asked for; absent and expired ones are undefined. Callers of one tick share BatchGets of up to 100. */
  readonly get: (places: readonly Place[]) => Promise<(Item | undefined)[]>
  /** Items of a partition in the order of their sort keys. `more`: there may be further ones after the last. */
  readonly query: (range: Range) => Promise<{ items: Item[]; more: boolean }>
  /**
   * All writes or none (at most 100 items, each place once).
   * @throws ConditionLost when a condition does not hold; Conflict when another transaction was in the way; Unstorable when no store would take it,
   * however often it is tried; all three mean that nothing was written.
   * Any other error leaves open whether it was. One conditional write alone, tried again after its answer was lost, can lose its condition against
   * itself: whoever sends one looks whether the item is its own.
   */
  readonly commit: (writes: readonly StoreWrite[]) => Promise<void>
}

/** A condition did not hold. `places` are those of the writes it belongs to. */
export class ConditionLost extends Error {
  readonly places: readonly Place[]
  constructor(places: readonly Place[]) {
    super(`condition lost at ${places.map(p => `${p.table} ${p.pk} ${p.sk}`).join(', ')}`)
    this.name = 'ConditionLost'
    this.places = places
  }
}

/** What is to be written, or the place it is to be read from, is nothing that a store can keep. The fault is its author's, no engine's. */
export class Unstorable extends Error {
  override readonly name = 'Unstorable'
}

/** Another transaction holds one of the items: try again after a short, jittered pause. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}
