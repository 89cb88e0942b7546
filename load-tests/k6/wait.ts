import { clearTimeout, setTimeout } from 'k6/timers'

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(() => resolve(), ms))

/** What comes of a promise, or undefined after `ms`. The timer goes when it is not needed any more: k6 ends no iteration that still has one. */
export const within = <T>(ms: number, promise: Promise<T>): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    promise.then(
      value => {
        clearTimeout(timer)
        resolve(value)
      },
      error => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })

/** Works on all items, at most `width` at a time; what came of each, in the order of the items. */
export const inBatches = async <T, R>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  for (let i = 0; i < items.length; i += width)
    results.push(...(await Promise.all(items.slice(i, i + width).map((item, j) => work(item, i + j)))))
  return results
}
