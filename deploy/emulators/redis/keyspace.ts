export type Value =
  | { kind: 'string'; text: string }
  | { kind: 'set'; members: Set<string> }
  | { kind: 'hash'; fields: Map<string, string> }
  | { kind: 'list'; items: string[] }

export type Keyspace = {
  get(key: string): Value | undefined
  /** Without `expiresAt` (in milliseconds as `performance.now` counts them, which nobody sets) the value stays. */
  set(key: string, value: Value, expiresAt?: number): void
  delete(key: string): boolean
  /** False when there is no such key. */
  expireAt(key: string, time: number): boolean
  /** When the key expires; undefined when it does not, or does not exist. */
  expiry(key: string): number | undefined
  clear(): void
  /** Looks at up to `most` keys that expire, going round, and removes those whose time has come. */
  sweep(most: number): void
  /** Keys held, those included whose time has come but which nobody has looked at. */
  size(): number
}

/** Keys and values in memory. A key whose time has come is gone for whoever looks at it; `sweep` removes those nobody looks at. */
export function createKeyspace(elapsed: () => number = () => performance.now()): Keyspace {
  const values = new Map<string, Value>()
  const expiries = new Map<string, number>()
  let round = expiries.entries()

  const remove = (key: string): boolean => {
    expiries.delete(key)
    return values.delete(key)
  }
  const dropIfOver = (key: string): void => {
    const time = expiries.get(key)
    if (time !== undefined && time <= elapsed()) remove(key)
  }

  return {
    get(key) {
      dropIfOver(key)
      return values.get(key)
    },
    set(key, value, expiresAt) {
      values.set(key, value)
      if (expiresAt === undefined) expiries.delete(key)
      else expiries.set(key, expiresAt)
    },
    delete(key) {
      dropIfOver(key)
      return remove(key)
    },
    expireAt(key, time) {
      dropIfOver(key)
      if (!values.has(key)) return false
      expiries.set(key, time)
      dropIfOver(key)
      return true
    },
    expiry(key) {
      dropIfOver(key)
      return expiries.get(key)
    },
    clear() {
      values.clear()
      expiries.clear()
    },
    sweep(most) {
      for (let seen = 0; seen < most; seen++) {
        const next = round.next()
        if (next.done) {
          round = expiries.entries()
          return
        }
        dropIfOver(next.value[0])
      }
    },
    size: () => values.size,
  }
}
