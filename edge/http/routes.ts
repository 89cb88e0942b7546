import type { ViewTable } from '../../actors/kernel/authoring/implement.ts'
import type { Mesh } from '../../contracts/derive/mesh.ts'
import type { Call } from '../request/call.ts'
import type { EdgeAnswer } from '../request/request.ts'
import { type CommandEndpointContext, commandEndpoint } from './command-endpoint.ts'
import { type QueryContext, queryEndpoint } from './query-endpoint.ts'
import { type Router, type RouterEntry, router } from './router.ts'

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
/** A route of the edge's own. */
export type SystemEndpoint = Endpoint & { readonly method: string; readonly path: string }
/** `label` is the route, `what` the message or question that it takes. */
export type Target = Required<Endpoint> & { readonly label: string; readonly what: string }

export type RoutesOptions = {
  readonly mesh: Mesh
  readonly views: ViewTable
  readonly queries: QueryContext
  readonly commands: CommandEndpointContext
  readonly system: readonly SystemEndpoint[]
}

/** The routes of the mesh. @throws an error when a query has no view */
const meshRoutes = ({ mesh, views, queries, commands }: RoutesOptions): RouterEntry<Target>[] =>
  mesh.routes.map(({ method, path, type, actor, spec }) => {
    const target = (run: Endpoint['run']) => ({
      method,
      path,
      target: { label: `${method} ${path}`, what: type, open: spec.who === 'anyone', free: false, run },
    })
    if (spec.kind === 'command') return target(commandEndpoint(actor.name, type, spec, commands))
    const view = views[type]
    if (!view) throw new Error(`there is no view for ${type}`)
    return target(queryEndpoint(type, spec, view, queries))
  })

/** Everything that is served: the routes of the mesh, and the edge's own. @throws an error when a query has no view */
export const routeTable = (options: RoutesOptions): Router<Target> =>
  router([
    ...meshRoutes(options),
    ...options.system.map(({ method, path, open = false, free = false, run }) => ({
      method,
      path,
      target: { label: `${method} ${path}`, what: `${method} ${path}`, open, free, run },
    })),
  ])
