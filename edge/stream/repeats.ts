/** How many recipients are remembered, over all events: repeats come within minutes. */
const MAX_RECIPIENTS = 200_000

/**
 * Remembers who has had which event at this edge: event queues may repeat, a device is told each id once. A device that came after the first telling does without
 * the repeat: what it loads after its `hello` shows the change.
 */
export const repeats = (max = MAX_RECIPIENTS) => {
  const told = new Map<string, readonly (readonly string[])[]>()
  let count = 0
  const forget = () => {
    for (const [id, lists] of told) {
      if (count <= max) return
      told.delete(id)
      for (const list of lists) count -= list.length
    }
  }
  return {
    /** Those of `to` who have not had the event yet; from now on they have. */
    fresh: (id: string, to: readonly string[]): readonly string[] => {
      const before = told.get(id)
      const had = before && new Set(before.flat())
      const left = had ? to.filter(user => !had.has(user)) : to
      if (left.length === 0) return left
      told.set(id, before ? [...before, left] : [left])
      count += left.length
      if (count > max) forget()
      return left
    },
  }
}
