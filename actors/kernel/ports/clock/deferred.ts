export type Deferred<T> = {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/** A promise that is resolved from outside; `Promise.withResolvers` came with Node 22. */
export const deferred = <T = void>(): Deferred<T> => {
  let settlers: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settlers = { resolve, reject }
  })
  return { promise, resolve: value => settlers?.resolve(value), reject: reason => settlers?.reject(reason) }
}
