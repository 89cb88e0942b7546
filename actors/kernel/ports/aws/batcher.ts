import { AsyncResource } from 'node:async_hooks'

/** What became of one item of a batch. */
export type Outcome<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }

export type BatcherOptions<T, R> = {
  /** Most items a request. */
  readonly count: number
  /** Most bytes a request, with the size of an item. */
  readonly bytes?: { readonly most: number; readonly of: (item: T) => number }
  /** Requests under way at once before callers are gathered; default 1. */
  readonly concurrency?: number
  /** Items of one order never lie in two requests under way, so several lanes cannot turn them round. */
  readonly order?: (item: T) => string | undefined
  /** Sends one request: an outcome an item, in order. A rejection fails all its items. */
  readonly flush: (items: readonly T[]) => Promise<readonly Outcome<R>[]>
}

/** How many items that wait for others of their order a lane passes over to fill its request. */
const PASSED_OVER = 1_000

/**
 * Lets callers at about the same time share requests. While a lane is free a call waits only for the end of the tick, so an idle mesh loses no time;
 * while all lanes are busy calls pile up for the next request, so a busy one sends few and full ones.
 */
export const batcher = <T, R>({ count, bytes, concurrency: lanes = 1, order, flush }: BatcherOptions<T, R>): ((item: T) => Promise<R>) => {
  type Waiting = {
    item: T
    order: string | undefined
    bytes: number
    /** The caller's, so that a request counts for the span of the caller that began it and not for whoever had the lane before. */
    context: AsyncResource
    resolve: (value: R) => void
    reject: (error: unknown) => void
  }
  const waiting: Waiting[] = []
  const underWay = new Set<string>()
  let busy = 0
  let scheduled = false

  const take = (): Waiting[] => {
    const batch: Waiting[] = []
    const passed: Waiting[] = []
    let size = 0
    let at = 0
    for (; at < waiting.length && batch.length < count && passed.length < PASSED_OVER; at++) {
      const next = waiting[at]
      if (!next) break
      if (next.order !== undefined && underWay.has(next.order)) {
        passed.push(next)
        continue
      }
      size += next.bytes
      if (batch.length > 0 && bytes && size > bytes.most) break
      batch.push(next)
    }
    waiting.splice(0, at, ...passed)
    return batch
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
      for (const w of batch) if (w.order !== undefined) underWay.delete(w.order)
      pump()
    }
  }
  const pump = () => {
    while (busy < lanes && waiting.length > 0) {
      const batch = take()
      const first = batch[0]
      if (!first) break
      busy++
      for (const w of batch) if (w.order !== undefined) underWay.add(w.order)
      void first.context.runInAsyncScope(send, null, batch)
    }
  }
  return item =>
    new Promise<R>((resolve, reject) => {
      // Measured here, so that an item that cannot be measured fails its own caller and nobody else.
      const measured = { order: order?.(item), bytes: bytes?.of(item) ?? 0 }
      waiting.push({ item, ...measured, context: new AsyncResource('gather'), resolve, reject })
      if (scheduled) return
      scheduled = true
      setImmediate(() => {
        scheduled = false
        pump()
      })
    })
}
