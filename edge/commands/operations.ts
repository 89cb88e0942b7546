import { z } from 'zod'
import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Store } from '../../actors/kernel/ports/store/port.ts'
import { keepOperation, OPERATION_SHOWN_MS, operationPlace } from '../../actors/kernel/turn/replies.ts'
import { Reply } from '../../contracts/declare/envelope.ts'
import type { Operation } from '../../contracts/edge.ts'
import { etagOf } from '../request/etag.ts'
import { documentOf, notFound, type Problems, replyProblem } from '../request/problems.ts'
import { type EdgeSecret, signer } from '../request/signing.ts'

const Stored = z.object({ reply: Reply, completedAt: z.number() })
const DAY_MS = 86_400_000
const ID = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\.([\w-]{22})$/

/**
 * Operation ids: the message's id, signed for its caller. The id is a UUIDv7, so it tells when it was made, and a signed one was really given out:
 * that is how *pending* differs from *unknown*.
 */
export const operationIds = (secret: EdgeSecret) => {
  const { sign, signed } = signer(secret, 'operation')
  return {
    write: (messageId: string, by: string): string => `${messageId}.${sign(`${messageId}\0${by}`)}`,
    /** @returns undefined for what was altered, made up, or given to somebody else */
    read: (id: string, by: string): { messageId: string; madeAt: number } | undefined => {
      const [, messageId, signature] = ID.exec(id) ?? []
      if (messageId === undefined || signature === undefined || !signed(`${messageId}\0${by}`, signature)) return undefined
      return { messageId, madeAt: Number.parseInt(messageId.slice(0, 8) + messageId.slice(9, 13), 16) }
    },
  }
}
export type OperationIds = ReturnType<typeof operationIds>

export const operationPath = (id: string): string => `/v1/operations/${id}`
export const pending = (id: string): Operation => ({ id, status: 'pending', result: null, problem: null })
/** Seconds until a question after a pending operation is worth its while. */
export const PENDING_RETRY_SECONDS = '1'
/** What the caller would have been told beside the body: the status, and of what was made its ETag and place. */
const headersOf = ({ status, body, version, location }: Reply): Record<string, string> => ({
  'operation-status': String(status),
  ...(version === undefined ? {} : { etag: etagOf(version, body, JSON.stringify(body)) }),
  ...(location === undefined ? {} : { location }),
})
const completed = (id: string, reply: Reply, problems: Problems): Operation => {
  const problem = replyProblem(problems, reply)
  return problem
    ? { id, status: 'failed', result: null, problem: documentOf(problem, operationPath(id)) }
    : { id, status: 'done', result: reply.body ?? null, problem: null }
}

/** Altered, another's, or forgotten: nobody is told which. */
const noSuchOperation = () => notFound('no operation of yours has this id, or it was done more than an hour ago')

/** Reads operations for their callers. */
export const operations = (ids: OperationIds, store: Store, backplane: Pick<Backplane, 'replyOf'>, clock: Clock, problems: Problems) => ({
  /** @throws EdgeProblem `not-found` for an unknown or foreign one, and an hour after it was done */
  get: async (id: string, by: string): Promise<{ readonly operation: Operation; readonly headers: Record<string, string> }> => {
    const known = ids.read(id, by)
    if (!known) throw noSuchOperation()
    const [[item], passed] = await Promise.all([
      store.get([operationPlace(known.messageId)]),
      // The backplane may be down or have forgotten: a caller that was told 202 then finds the stored row.
      backplane.replyOf(known.messageId).catch(() => undefined),
    ])
    const stored = item && Stored.parse(item)
    if (stored && stored.completedAt + OPERATION_SHOWN_MS <= clock.now()) throw noSuchOperation()
    const reply = stored?.reply ?? passed
    // The backplane soon forgets it; an operation is shown for an hour.
    if (passed && !stored) await keepOperation(store, known.messageId, passed, clock.now()).catch(() => {})
    if (reply) return { operation: completed(id, reply, problems), headers: reply.problem ? {} : headersOf(reply) }
    // A row is kept for a day after completion, so within that time no row means not done.
    if (clock.now() - known.madeAt >= DAY_MS) throw noSuchOperation()
    return { operation: pending(id), headers: { 'retry-after': PENDING_RETRY_SECONDS } }
  },
})
export type Operations = ReturnType<typeof operations>
