import type { Operations } from '../commands/operations.ts'
import { handshakeFault } from '../request/handshake.ts'
import { edgeProblem, notFound, quote } from '../request/problems.ts'
import type { EdgeAnswer } from '../request/request.ts'
import type { clientConfig } from './client-config.ts'
import type { EdgeHealth } from './health.ts'
import { type Documented, pageAnswer, pages } from './pages.ts'
import type { Endpoint, SystemEndpoint } from './routes.ts'

const json = (status: number, body: unknown): EdgeAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
})

export type SystemEndpointsOptions = {
  readonly documented: Documented
  readonly health: () => Promise<EdgeHealth>
  readonly operations: Operations
  readonly config: ReturnType<typeof clientConfig>
  /** Host and port of this edge, once it listens. */
  readonly host: () => string
  readonly secure: boolean
}

/** What the edge answers itself, whatever actors there are. */
export const systemEndpoints = (options: SystemEndpointsOptions): SystemEndpoint[] => {
  const written = pages(options.documented, { host: options.host, secure: options.secure })
  const page = (path: string): Endpoint => ({
    open: true,
    run: ({ request, params }) => {
      const found = written.get(params.code === undefined ? path : `/docs/problems/${params.code}`)
      if (!found) throw notFound(`no problem has the code ${quote(params.code ?? '')}; /docs lists those that there are`)
      return pageAnswer(request, found())
    },
  })
  const get = (path: string, endpoint: Endpoint) => ({ method: 'GET', path, ...endpoint })
  return [
    get('/v1/config', { open: true, run: ({ request }) => json(200, options.config(request, options.host())) }),
    get('/v1/operations/{operationId}', {
      run: async ({ params, caller }) => {
        const { operation, headers } = await options.operations.get(params.operationId ?? '', caller)
        const answer = json(200, operation)
        Object.assign(answer.headers, headers)
        return answer
      },
    }),
    get('/v1/stream', {
      open: true,
      run: ({ request }) => {
        throw (
          handshakeFault(request, options.documented.stream.subprotocol) ?? edgeProblem('upgrade-required', 'this server upgrades nothing')
        )
      },
    }),
    get('/health/live', { open: true, free: true, run: () => json(200, { status: 'ok' }) }),
    get('/health/ready', {
      open: true,
      free: true,
      run: async () => {
        const { ok, status, dependencies } = await options.health()
        return json(ok ? 200 : 503, { status, dependencies })
      },
    }),
    ...['/', '/docs', '/openapi.json', '/asyncapi.json', '/docs/problems/{code}'].map(path => get(path, page(path))),
  ]
}
