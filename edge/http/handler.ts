import type { Logger } from 'pino'
import { deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { Entry } from '../access/admission.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { requestIdOf } from '../request/call.ts'
import { answerWithinMs, DEFAULT_WAIT_MS, preferenceOf } from '../request/prefer.ts'
import { late, problemAnswer, problemFrom } from '../request/problems.ts'
import type { EdgeAnswer, EdgeRequest, Handle } from '../request/request.ts'
import { type RoutesOptions, routeTable } from './routes.ts'
import { type AccessKind, requestServer, type ServeOptions } from './serve.ts'

export type HandlerOptions = RoutesOptions &
  ServeOptions & {
    readonly metrics: EdgeMetrics
    readonly clock: Clock
    readonly log: Logger
    /** Makes a request id where the client sent none. */
    readonly requestId: () => string
  }

const kindOf = (method: string): AccessKind => (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'reads' : 'writes')
const UNROUTED = 'none'
/** Whatever a request waits for, it is answered within this (ms): a read, and a write that prefers nothing else. */
const withinMs = (kind: AccessKind, { headers }: EdgeRequest) =>
  kind === 'reads' ? DEFAULT_WAIT_MS : answerWithinMs(preferenceOf(headers.get('prefer')))

/** The edge without a socket: a request in, an answer out, whatever happens. */
export const createHandler = (options: HandlerOptions): Handle => {
  const { admission, cors, metrics, log, clock } = options
  const table = routeTable(options)
  const serve = requestServer(options)
  const complete = (request: EdgeRequest, id: string, entry: Entry, answer: EdgeAnswer): EdgeAnswer => {
    const { headers } = answer
    const drawn = admission.told(entry)
    headers['x-request-id'] = id
    headers.ratelimit = drawn.limit
    headers['ratelimit-policy'] = drawn.policy
    headers['x-content-type-options'] = 'nosniff'
    cors.complete(headers, request)
    return request.method === 'HEAD' ? { ...answer, head: true } : answer
  }
  return async request => {
    const id = requestIdOf(request, options.requestId)
    const entry = admission.entry(request)
    const found = table.find(request.method, request.path)
    const label = found && 'target' in found ? found.target.label : UNROUTED
    let answer: EdgeAnswer
    try {
      const kind = kindOf(request.method)
      const end = deadline(clock, withinMs(kind, request))
      const served = serve({ request, id, entry, found, kind, end })
      // A write knows best what it waited for, and whether it may still be done.
      answer = await (kind === 'reads' ? end.race(served, late('the store did not answer in time')) : served)
    } catch (thrown) {
      const problem = problemFrom(thrown, err => log.error({ err, request: id, route: label }, 'a request failed'))
      answer = problemAnswer(problem, request.path)
    }
    metrics.answered(label, answer.status)
    return complete(request, id, entry, answer)
  }
}
