/** Runs `work` while nobody else holds any of `names`. */
export type Hold = <T>(names: readonly string[], work: () => Promise<T>) => Promise<T>

/**
 * Locks by name, first come, first served. A caller joins the queues of all its names at once, in one synchronous step; so two callers meet in the same order
 * in every queue that they share, and cannot wait for each other.
 */
export function createLocks(): Hold {
  const tails = new Map<string, Promise<void>>()
  return async (names, work) => {
    const ahead = names.map(name => tails.get(name)).filter(tail => tail !== undefined)
    const { promise: done, resolve: release } = withResolvers()
    for (const name of names) tails.set(name, done)
    try {
      if (ahead.length > 0) await Promise.all(ahead)
      return await work()
    } finally {
      for (const name of names) if (tails.get(name) === done) tails.delete(name)
      release()
    }
  }
}

/** `Promise.withResolvers` came with Node 22. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
