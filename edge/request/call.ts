import type { Deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { EdgeRequest } from './request.ts'

/**
 * One request on its way through the edge.
 * @property id the request's id, as the answer and the logs name it
 * @property caller the user's id; empty on routes that need no token
 * @property params the path's parameters
 * @property end when it must be answered
 */
export type Call = {
  readonly request: EdgeRequest
  readonly id: string
  readonly caller: string
  readonly params: Readonly<Record<string, string>>
  readonly traceparent: string | null
  readonly end: Deadline
}

const SANE_ID = /^[\x21-\x7e]{1,128}$/
/** Version `ff` and ids of zeros alone are none (W3C Trace Context, 3.2.2). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The client's own request id, if it sent a sane one, or a new one. @param fresh makes one */
export const requestIdOf = (request: EdgeRequest, fresh: () => string): string => {
  const given = request.headers.get('x-request-id')
  return given !== undefined && SANE_ID.test(given) ? given : fresh()
}
/** The W3C trace context that the request belongs to, if it is well-formed. */
export const traceparentOf = (request: EdgeRequest): string | null => {
  const given = request.headers.get('traceparent')
  return given !== undefined && TRACEPARENT.test(given) ? given : null
}
