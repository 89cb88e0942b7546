/**
 * Runs work one at a time per key and for a bounded number of keys at once. What arrives for a key that is busy waits and is taken together, in order.
 * @param limit keys at work at once
 * @param most items that one run takes
 * @param changed told how many items are held, whenever that changes
 */
export const keyedQueue = <T>(
  limit: number,
  most: number,
  run: (key: string, batch: readonly T[]) => Promise<void>,
  changed: (held: number) => void = () => {},
) => {
  const waiting = new Map<string, T[]>()
  const busy = new Set<string>()
  const ready: string[] = []
  let held = 0
  const idle: (() => void)[] = []
  const room: (() => void)[] = []

  const pump = () => {
    while (busy.size < limit) {
      const key = ready.shift()
      if (key === undefined) break
      busy.add(key)
      const queue = waiting.get(key) ?? []
      const batch = queue.splice(0, most)
      if (queue.length === 0) waiting.delete(key)
      void run(key, batch).finally(() => {
        busy.delete(key)
        held -= batch.length
        changed(held)
        if (waiting.has(key)) ready.push(key)
        pump()
        if (held < limit * 2) for (const go of room.splice(0)) go()
        if (held === 0) for (const go of idle.splice(0)) go()
      })
    }
  }
  return {
    /** Items held: waiting and at work. */
    held: () => held,
    add: (key: string, items: readonly T[]) => {
      if (items.length === 0) return
      held += items.length
      changed(held)
      const queue = waiting.get(key)
      if (queue) queue.push(...items)
      else {
        waiting.set(key, [...items])
        if (!busy.has(key)) ready.push(key)
      }
      pump()
    },
    /** Resolves when there is room for more. */
    room: () => (held < limit * 2 ? Promise.resolve() : new Promise<void>(resolve => room.push(resolve))),
    /** Resolves when nothing is held. */
    idle: () => (held === 0 ? Promise.resolve() : new Promise<void>(resolve => idle.push(resolve))),
  }
}
