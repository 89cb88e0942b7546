import type { Logger } from 'pino'
import type { ViewTable } from '../../actors/kernel/authoring/implement.ts'
import { type Deadline, deadline } from '../../actors/kernel/ports/clock/deadline.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { isSampled } from '../../actors/kernel/ports/tracing/span.ts'
import { mesh } from '../../contracts/mesh.ts'
import type { Admission, Entry } from '../access/admission.ts'
import type { Commander } from '../commands/submit.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { tooLarge } from '../request/body.ts'
import { type Call, requestIdOf, traceparentOf } from '../request/call.ts'
import { framingFault } from '../request/framing.ts'
import { answerWithinMs, DEFAULT_WAIT_MS, preferenceOf } from '../request/prefer.ts'
import { edgeProblem, late, notFound, problemAnswer, problemFrom, quote } from '../request/problems.ts'
import type { EdgeAnswer, EdgeRequest, Handle } from '../request/request.ts'
import { commandEndpoint } from './command-endpoint.ts'
import type { cors } from './cors.ts'
import { type QueryContext, queryEndpoint } from './query-endpoint.ts'
import { type RouterEntry, router } from './router.ts'
import type { TraceBudget, Tracer } from './trace.ts'
/**
 * What serves a route.
 * @property open needs no token
 * @property free draws on no budget: those who watch the edge must always get through
 */
export type Endpoint = {
  readonly open?: boolean
  readonly free?: boolean
  readonly run: (call: Call) => EdgeAnswer | Promise<EdgeAnswer>
}
/** `label` is the route, `what` the message or question that it takes. */
type Target = Required<Endpoint> & { readonly label: string; readonly what: string }

/** The contract's mesh.routes. @throws an error when a query has no view */
const contractRoutes = (views: ViewTable, queryContext: QueryContext, say: Commander): RouterEntry<Target>[] =>
  mesh.routes.map(({ method, path, type, actor, spec }) => {
    const target = (run: Endpoint['run']) => ({
      method,
      path,
      target: { label: `${method} ${path}`, what: type, open: spec.who === 'anyone', free: false, run },
    })
    if (spec.kind === 'command') return target(commandEndpoint(actor.name, type, spec, say))
    const view = views[type]
    if (!view) throw new Error(`there is no view for ${type}`)
    return target(queryEndpoint(type, spec, view, queryContext))
  })

export type HandlerOptions = {
  readonly views: ViewTable
  readonly query: QueryContext
  readonly say: Commander
  /** The edge's own routes: method and path, and what serves them. */
  readonly own: readonly (Endpoint & { readonly method: string; readonly path: string })[]
  readonly admission: Admission
  readonly cors: ReturnType<typeof cors>
  readonly metrics: EdgeMetrics
  readonly trace: Tracer
  readonly clock: Clock
  readonly traced: TraceBudget
  readonly log: Logger
  /** Makes a request id where the client sent none. */
  readonly requestId: () => string
}

type Kind = 'reads' | 'writes'
const kindOf = (method: string): Kind => (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'reads' : 'writes')
const UNROUTED = 'none'
/** Whatever a request waits for, it is answered within this (ms): a read, and a write that prefers nothing else. */
const withinMs = (kind: Kind, { headers }: EdgeRequest) =>
  kind === 'reads' ? DEFAULT_WAIT_MS : answerWithinMs(preferenceOf(headers.get('prefer')))

/** The edge without a socket: a request in, an answer out, whatever happens. */
export const createHandler = (options: HandlerOptions): Handle => {
  const { admission, cors, metrics, log } = options
  const table = router([
    ...contractRoutes(options.views, options.query, options.say),
    ...options.own.map(({ method, path, open = false, free = false, run }) => ({
      method,
      path,
      target: { label: `${method} ${path}`, what: `${method} ${path}`, open, free, run },
    })),
  ])
  const optionsOf = (path: string): EdgeAnswer => {
    const found = table.find('OPTIONS', path)
    const methods = found && 'allow' in found ? found.allow : []
    return { status: 204, headers: { allow: methods.join(', '), 'cache-control': 'no-store', ...cors.preflight(methods) }, body: '' }
  }

  const serve = async (request: EdgeRequest, id: string, entry: Entry, found: Found, kind: Kind, end: Deadline): Promise<EdgeAnswer> => {
    const { method, path } = request
    const target = found && 'target' in found ? found.target : undefined
    if (!target?.free) admission.address(entry, kind)
    const fault = framingFault(request)
    if (fault) throw fault
    if (request.oversized) throw tooLarge()
    if (!found) throw notFound(`no route ${method} ${quote(path)}`)
    if (method === 'OPTIONS') return optionsOf(path)
    if (!('target' in found))
      throw edgeProblem('method-not-allowed', `${quote(path)} takes ${found.allow.join(', ')}`, { allow: found.allow.join(', ') })
    let caller = ''
    if (!found.target.open) caller = await end.race(admission.caller(entry, request, kind), late('the token could not be verified in time'))
    else if (!found.target.free) admission.anonymous(entry)
    const call = {
      request,
      id,
      caller,
      params: found.params,
      traceparent: options.traced(traceparentOf(request), caller || entry.network),
      end,
    }
    const { run, what } = found.target
    return isSampled(call.traceparent) ? options.trace(what, id, () => run(call)) : run(call)
  }
  type Found = ReturnType<typeof table.find>

  return async request => {
    const id = requestIdOf(request, options.requestId)
    const entry = admission.entry(request)
    const found = table.find(request.method, request.path)
    const label = found && 'target' in found ? found.target.label : UNROUTED
    let answer: EdgeAnswer
    try {
      const kind = kindOf(request.method)
      const end = deadline(options.clock, withinMs(kind, request))
      const served = serve(request, id, entry, found, kind, end)
      // A write knows best what it waited for, and whether it may still be done.
      answer = await (kind === 'reads' ? end.race(served, late('the store did not answer in time')) : served)
    } catch (thrown) {
      const problem = problemFrom(thrown, err => log.error({ err, request: id, route: label }, 'a request failed'))
      answer = problemAnswer(problem, request.path)
    }
    metrics.answered(label, answer.status)
    const { headers } = answer
    const drawn = admission.told(entry)
    headers['x-request-id'] = id
    headers.ratelimit = drawn.limit
    headers['ratelimit-policy'] = drawn.policy
    headers['x-content-type-options'] = 'nosniff'
    cors.complete(headers, request)
    return request.method === 'HEAD' ? { ...answer, head: true } : answer
  }
}
