/** What became of one item of a batch. */
export type Outcome<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }

export type GatherOptions<T, R> = {
  /** Most items a request. */
  readonly count: number
  /** Most bytes a request, with the size of an item. */
  readonly bytes?: { readonly most: number; readonly of: (item: T) => number }
  /** Requests under way at once before callers are gathered; default 1. */
  readonly lanes?: number
  /** Sends one request: an outcome an item, in order. A rejection fails all its items. */
  readonly flush: (items: readonly T[]) => Promise<readonly Outcome<R>[]>
}

/**
 * Lets callers at about the same time share requests. While a lane is free a call waits only for the end of the tick, so an idle mesh loses no time;
 * while all lanes are busy calls pile up for the next request, so a busy one sends few and full ones.
 */
export const gather = <T, R>({ count, bytes, lanes = 1, flush }: GatherOptions<T, R>): ((item: T) => Promise<R>) => {
  type Waiting = { item: T; resolve: (value: R) => void; reject: (error: unknown) => void }
  const waiting: Waiting[] = []
  let busy = 0
  let scheduled = false

  const take = (): Waiting[] => {
    let size = 0
    let n = 0
    for (; n < waiting.length && n < count; n++) {
      const next = waiting[n]
      if (!next) break
      size += bytes?.of(next.item) ?? 0
      if (n > 0 && bytes && size > bytes.most) break
    }
    return waiting.splice(0, n)
  }
  const send = async (batch: Waiting[]) => {
    try {
      const outcomes = await flush(batch.map(w => w.item))
      batch.forEach((w, i) => {
        const outcome = outcomes[i]
        if (outcome?.ok) w.resolve(outcome.value)
        else w.reject(outcome?.error ?? new Error('the request said nothing of this item'))
      })
    } catch (error) {
      for (const w of batch) w.reject(error)
    } finally {
      busy--
      pump()
    }
  }
  const pump = () => {
    while (busy < lanes && waiting.length > 0) {
      busy++
      void send(take())
    }
  }
  return item =>
    new Promise<R>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (scheduled) return
      scheduled = true
      setImmediate(() => {
        scheduled = false
        pump()
      })
    })
}
