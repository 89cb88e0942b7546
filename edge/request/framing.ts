import { type EdgeProblem, edgeProblem } from './problems.ts'
import type { EdgeRequest } from './request.ts'

/**
 * Requests that somebody between might read differently than this server does: where one message ends and the next begins must never be a matter of opinion
 * (RFC 9112, 11.2). None of them is begun, and the connection ends with the answer.
 */

const CLOSED = { connection: 'close' }
const unclear = (detail: string) => edgeProblem('bad-request', detail, CLOSED)
/** What is neither visible ASCII nor anything else that a request line may hold raw (RFC 9112, 3.2). */
const NOT_IN_TARGETS = /[^\x21-\x7e]/
const LENGTH = /^\d{1,15}$/

/** Exactly `chunked`, once: other codings are not undone here, and what does not end with `chunked` has no end (RFC 9112, 6.1 and 6.3). */
const encodingFault = (encoding: string): EdgeProblem | undefined => {
  const codings = encoding.split(',').map(coding => coding.trim().toLowerCase())
  if (codings.length === 1 && codings[0] === 'chunked') return undefined
  if (codings.at(-1) !== 'chunked' || codings.indexOf('chunked') < codings.length - 1)
    return unclear('the Transfer-Encoding must be chunked')
  return edgeProblem('not-implemented', 'no Transfer-Encoding but chunked is understood', CLOSED)
}

/** What is wrong with a request before anything is known of its meaning. A server asks before it reads a body, the handler before it does anything. */
export const framingFault = ({ path, query, headers }: EdgeRequest): EdgeProblem | undefined => {
  const encoding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  const host = headers.get('host')
  if (encoding !== undefined) {
    if (length !== undefined) return unclear('a request has a Content-Length or a Transfer-Encoding, not both')
    const fault = encodingFault(encoding)
    if (fault) return fault
  }
  // A repeated header is joined with commas.
  if (length !== undefined && !LENGTH.test(length)) return unclear('the Content-Length must be one number')
  if (host === undefined || host.includes(',')) return unclear('a request names one Host')
  if (NOT_IN_TARGETS.test(path) || NOT_IN_TARGETS.test(query)) return unclear('what is not ASCII in an address is percent-encoded')
  const expectation = headers.get('expect')
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue')
    return edgeProblem('expectation-failed', 'the only expectation that is met is 100-continue', CLOSED)
  return undefined
}
