/** Counts by key. A key whose count is back at zero is forgotten: memory is that of what is there. */
export const counts = () => {
  const byKey = new Map<string, number>()
  return {
    of: (key: string): number => byKey.get(key) ?? 0,
    add: (key: string): void => {
      byKey.set(key, (byKey.get(key) ?? 0) + 1)
    },
    remove: (key: string): void => {
      const left = (byKey.get(key) ?? 0) - 1
      if (left > 0) byKey.set(key, left)
      else byKey.delete(key)
    },
    /** How many keys have a count. */
    size: (): number => byKey.size,
  }
}
