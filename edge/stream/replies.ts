import type { z } from 'zod'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { CLOSE, type ReplyFrame } from '../../contracts/frames.ts'
import type { Limits } from '../access/limits.ts'
import { documentOf, type EdgeProblem } from '../request/problems.ts'
import type { Connection } from './connection.ts'
import { frameText } from './fanout.ts'

/** In what time a refusal surely was read, how much more a frame costs that comes after it, and how long a refusal is held against a socket. */
const REFUSAL_READ_MS = 1_000
const COST_DESPITE_REFUSAL = 10
const REFUSAL_MEMORY_MS = 30_000

/** Answers the frames of clients. */
export const frameReplies = (limits: Pick<Limits, 'refusals'>, clock: Clock) => {
  const reply = (connection: Connection, answer: Omit<z.infer<typeof ReplyFrame>, 'op'>): void => {
    if (connection.send(frameText({ op: 'reply', ...answer }))) return
    // A client that asks without reading the answers may not make us keep them.
    connection.close(CLOSE.budget, 'too many unread replies')
  }
  const refuse = (connection: Connection, id: string | null, problem: EdgeProblem): void => {
    const retryAfter = problem.headers['retry-after']
    const body = documentOf(problem, `/v1/stream#${encodeURIComponent(id ?? '')}`)
    reply(connection, { id, status: problem.status, body, ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }) })
  }
  return {
    reply,
    refuse,
    /** Refuses for want of budget. What was sent before the refusal can have been read is forgiven; who goes on despite it is closed. */
    refuseOverBudget: (connection: Connection, id: string | null, problem: EdgeProblem): void => {
      const now = clock.elapsed()
      refuse(connection, id, problem)
      if (connection.deniedAt === undefined || now - connection.deniedAt > REFUSAL_MEMORY_MS) connection.deniedAt = now
      const cost = now - connection.deniedAt < REFUSAL_READ_MS ? 1 : COST_DESPITE_REFUSAL
      if (limits.refusals.draw(connection.id, now, cost).retryAfter > 0)
        connection.close(CLOSE.budget, `went on although refused: ${problem.detail ?? problem.code}`)
    },
  }
}
export type FrameReplies = ReturnType<typeof frameReplies>
