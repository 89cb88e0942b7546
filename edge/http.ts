import type { Logger } from 'pino'
import type { Clock } from '../actors/kernel/clock/port.ts'
import { routes } from '../contracts/mesh.ts'
import type { Authenticator } from './auth.ts'
import { bearerOf } from './auth.ts'
import { tooLarge } from './body.ts'
import { addressOf, type Call, requestIdOf, traceparentOf } from './call.ts'
import type { Commander } from './command.ts'
import type { cors } from './cors.ts'
import { type Drawn, type Limits, networkOf, within } from './limits.ts'
import type { EdgeMetrics } from './metrics.ts'
import { edgeProblem, notFound, problemAnswer, problemFrom } from './problems.ts'
import { type QueryContext, queryEndpoint, type ViewTable } from './query.ts'
import type { EdgeAnswer, EdgeRequest, Handle } from './request.ts'
import { type RouterEntry, router } from './router.ts'
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
type Target = Required<Endpoint> & { readonly label: string }

/** The contract's routes. @throws an error when a query has no view */
const contractRoutes = (views: ViewTable, queryContext: QueryContext, say: Commander): RouterEntry<Target>[] =>
  routes.map(({ method, path, type, actor, spec }) => {
    const target = (run: Endpoint['run']) => ({
      method,
      path,
      target: { label: `${method} ${path}`, open: spec.who === 'anyone', free: false, run },
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
  readonly auth: Authenticator
  readonly limits: Limits
  readonly cors: ReturnType<typeof cors>
  readonly metrics: EdgeMetrics
  readonly clock: Clock
  readonly log: Logger
  /** Makes a request id where the client sent none. */
  readonly requestId: () => string
  /** How many proxies of ours stand before the edge. */
  readonly proxies: number
}

const isWrite = (method: string) => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
const UNROUTED = 'none'

/** The edge without a socket: a request in, an answer out, whatever happens. */
export const createHandler = (options: HandlerOptions): Handle => {
  const { auth, limits, cors, metrics, clock, log } = options
  const table = router([
    ...contractRoutes(options.views, options.query, options.say),
    ...options.own.map(({ method, path, open = false, free = false, run }) => ({
      method,
      path,
      target: { label: `${method} ${path}`, open, free, run },
    })),
  ])

  /** What is noted on the way, for the answer that comes in any case. */
  type Notes = { drawn: Drawn | undefined; label: string }

  const callerOf = async (request: EdgeRequest, network: string, exempt: boolean, notes: Notes): Promise<string> => {
    const anonymous = (look: 'draw' | 'peek') => {
      if (exempt) return
      notes.drawn = limits.anonymous[look](network, clock.now())
      within(notes.drawn)
    }
    try {
      const token = bearerOf(request.headers.get('authorization'))
      const known = auth.recall(token)
      if (known) return known.id
      // Checking a signature is work: who sends bad ones has fewer tries than who sends good ones.
      anonymous('peek')
      return (await auth.verify(token)).id
    } catch (refusal) {
      anonymous('draw')
      throw refusal
    }
  }

  const serve = async (request: EdgeRequest, id: string, notes: Notes): Promise<EdgeAnswer> => {
    const { method, path } = request
    if (request.oversized) throw tooLarge()
    const address = addressOf(request, options.proxies)
    const network = networkOf(address)
    const exempt = limits.exempt(address)
    const found = table.find(method, path)
    const target = found && 'target' in found ? found.target : undefined
    if (target) notes.label = target.label
    const kind = isWrite(method) ? 'writes' : 'reads'
    if (!exempt && !target?.free) {
      notes.drawn = limits.addresses[kind].draw(network, clock.now())
      within(notes.drawn)
    }
    if (!found) throw notFound()
    if (method === 'OPTIONS') return { status: 204, headers: optionsOf(path), body: '' }
    if (!('target' in found))
      throw edgeProblem('method-not-allowed', `${path} takes ${found.allow.join(', ')}`, { allow: found.allow.join(', ') })
    let caller = ''
    if (found.target.open) {
      if (!exempt && !found.target.free) {
        notes.drawn = limits.anonymous.draw(network, clock.now())
        within(notes.drawn)
      }
    } else {
      caller = await callerOf(request, network, exempt, notes)
      notes.drawn = limits.users[kind].draw(caller, clock.now())
      within(notes.drawn)
    }
    return found.target.run({ request, id, caller, params: found.params, traceparent: traceparentOf(request) })
  }
  const optionsOf = (path: string) => {
    const found = table.find('OPTIONS', path)
    const methods = found && 'allow' in found ? found.allow : []
    return { allow: methods.join(', '), 'cache-control': 'no-store', ...cors.preflight(methods) }
  }

  return async request => {
    const at = clock.now()
    const id = requestIdOf(request, options.requestId)
    const notes: Notes = { drawn: undefined, label: UNROUTED }
    let answer: EdgeAnswer
    try {
      answer = await serve(request, id, notes)
    } catch (thrown) {
      const problem = problemFrom(thrown, err => log.error({ err, request: id, route: notes.label }, 'a request failed'))
      answer = problemAnswer(problem, request.path)
    }
    metrics.answered(notes.label, isWrite(request.method) ? 'write' : 'read', answer.status, clock.now() - at)
    const drawn = notes.drawn ?? limits.anonymous.peek(request.address, at)
    return {
      status: answer.status,
      headers: {
        ...answer.headers,
        'x-request-id': id,
        ratelimit: drawn.limit,
        'ratelimit-policy': drawn.policy,
        'x-content-type-options': 'nosniff',
        ...cors.headers(request),
      },
      body: answer.body,
      head: request.method === 'HEAD',
    }
  }
}
