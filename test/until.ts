/**
 * Waits for a fact: asks until `found` answers something, or the deadline has passed.
 * @param within ms
 * @throws an error naming what was waited for, with the last failure
 */
export const until = async <T>(what: string, found: () => T | undefined | Promise<T | undefined>, within = 15_000): Promise<T> => {
  const deadline = Date.now() + within
  for (let last: unknown; ; ) {
    try {
      const value = await found()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${within} ms`, last === undefined ? {} : { cause: last })
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/**
 * What comes of some work, if it comes soon: what never answers must not hold up for ever whoever waits for it.
 * @param within ms
 * @throws an error naming what was waited for
 */
export const soon = async <T>(what: string, work: Promise<T>, within = 15_000): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${within} ms`)), within)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
