import type { Logger } from 'pino'
import { z } from 'zod'
import { mesh } from '../../contracts/mesh.ts'

const Depth = z.object({
  name: z.string(),
  approximateMessageCount: z.int(),
  approximateInflightCount: z.int(),
  approximateDelayedCount: z.int(),
})
export type Unsettled = { readonly queue: string; readonly messages: number }

/**
 * Waits until the embedded queues are empty: they are memory, so what they hold when the engines end is gone. Two looks in a row must find nothing, because
 * a message may pass from a queue that is looked at later to one that was looked at before.
 * @param endpoint of the embedded SQS
 * @returns what is left in which queue when `withinMs` were not enough
 */
export const settle = async (endpoint: string, queues: readonly string[], withinMs: number): Promise<readonly Unsettled[]> => {
  const until = performance.now() + withinMs
  for (let quiet = 0; ; ) {
    const left = await depths(endpoint, queues)
    quiet = left.length === 0 ? quiet + 1 : 0
    if (quiet === 2 || performance.now() > until) return left
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const depths = async (endpoint: string, queues: readonly string[]): Promise<Unsettled[]> => {
  // Without engines there is nothing left to wait for.
  const answer = await fetch(`${endpoint}/_fauxqs/queues`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined)
  if (!answer?.ok) return []
  return Depth.array()
    .parse(await answer.json())
    .filter(q => queues.includes(q.name))
    .map(q => ({ queue: q.name, messages: q.approximateMessageCount + q.approximateInflightCount + q.approximateDelayedCount }))
    .filter(q => q.messages > 0)
}

/** As `settle`, for every queue of the mesh but the dead letters; says in the log what is lost. Does nothing about queues that are not embedded. */
export const settleAll = async (endpoint: string | undefined, prefix: string, withinMs: number, log: Logger): Promise<void> => {
  if (endpoint === undefined) return
  const { mailboxes, subscribers } = mesh.topology(prefix)
  const left = await settle(
    endpoint,
    [...mailboxes, ...subscribers].map(q => q.queue),
    withinMs,
  )
  if (left.length > 0) log.warn({ left }, 'messages are lost with the embedded queues')
}
