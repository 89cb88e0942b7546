import type { Logger } from 'pino'
import { isSampled } from '../actors/kernel/span.ts'
import { routes } from '../contracts/mesh.ts'
import type { Admission, Entry } from './admission.ts'
import { tooLarge } from './body.ts'
import { type Call, requestIdOf, traceparentOf } from './call.ts'
import type { Commander } from './command.ts'
import type { cors } from './cors.ts'
import { framingFault } from './framing.ts'
import type { EdgeMetrics } from './metrics.ts'
import { edgeProblem, notFound, problemAnswer, problemFrom } from './problems.ts'
import { type QueryContext, queryEndpoint, type ViewTable } from './query.ts'
import type { EdgeAnswer, EdgeRequest, Handle } from './request.ts'
import { type RouterEntry, router } from './router.ts'
import type { Tracer } from './trace.ts'
import { commandEndpoint } from './write.ts'

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

/** The contract's routes. @throws an error when a query has no view */
const contractRoutes = (views: ViewTable, queryContext: QueryContext, say: Commander): RouterEntry<Target>[] =>
  routes.map(({ method, path, type, actor, spec }) => {
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
  readonly log: Logger
  /** Makes a request id where the client sent none. */
  readonly requestId: () => string
}

const kindOf = (method: string) => (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'reads' : 'writes')
const UNROUTED = 'none'

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

  const serve = async (request: EdgeRequest, id: string, entry: Entry, found: Found): Promise<EdgeAnswer> => {
    const { method, path } = request
    const fault = framingFault(request)
    if (fault) throw fault
    if (request.oversized) throw tooLarge()
    const kind = kindOf(method)
    const target = found && 'target' in found ? found.target : undefined
    if (!target?.free) admission.address(entry, kind)
    if (!found) throw notFound()
    if (method === 'OPTIONS') return optionsOf(path)
    if (!('target' in found))
      throw edgeProblem('method-not-allowed', `${path} takes ${found.allow.join(', ')}`, { allow: found.allow.join(', ') })
    let caller = ''
    if (!found.target.open) caller = await admission.caller(entry, request, kind)
    else if (!found.target.free) admission.anonymous(entry)
    const call = { request, id, caller, params: found.params, traceparent: traceparentOf(request) }
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
      answer = await serve(request, id, entry, found)
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
