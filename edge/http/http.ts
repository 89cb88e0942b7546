import type { Logger } from 'pino'
import type { ViewTable } from '../../actors/kernel/authoring/implement.ts'
import type { Config } from '../../actors/kernel/config/config.ts'
import type { Ports } from '../../actors/kernel/process/ports.ts'
import type { Access } from '../access/access.ts'
import type { SubmitCommand } from '../commands/command-request.ts'
import type { Operations } from '../commands/operations.ts'
import type { EdgeMetrics } from '../metrics/metrics.ts'
import { type ClientExtras, clientConfig } from './client-config.ts'
import { cors } from './cors.ts'
import { createHandler } from './handler.ts'
import { health, type Phase } from './health.ts'
import type { Documented } from './pages.ts'
import type { QueryContext } from './query-endpoint.ts'
import { systemEndpoints } from './system-endpoints.ts'
import { traceBudget, tracer } from './trace.ts'

export type HttpOptions = Documented & {
  readonly config: Config
  readonly ports: Pick<Ports, 'store' | 'mailbox' | 'backplane' | 'clock'>
  readonly access: Pick<Access, 'admission' | 'keysReady'>
  readonly views: ViewTable
  readonly client: ClientExtras
  readonly queries: QueryContext
  readonly submit: SubmitCommand
  readonly operations: Operations
  readonly metrics: EdgeMetrics
  readonly log: Logger
  readonly originAllowed: (origin: string) => boolean
  readonly phase: () => Phase
  readonly host: () => string
  readonly missingRoutes: () => readonly string[]
  readonly newId: () => string
}

/** The edge over HTTP: its routes, and its health. @throws an error when a query has no view */
export const createHttp = (options: HttpOptions) => {
  const { mesh, stream, about, config, ports, access, log, host } = options
  const { backplane, clock } = ports
  const healthOf = health({
    ...ports,
    mesh,
    keys: access.keysReady,
    phase: options.phase,
    missingRoutes: options.missingRoutes,
    log: (dependency, err) => log.warn({ err, dependency }, 'a dependency cannot be reached'),
  })
  const handle = createHandler({
    mesh,
    views: options.views,
    queries: options.queries,
    commands: { submit: options.submit, problems: mesh.problems },
    system: systemEndpoints({
      documented: { mesh, stream, about },
      health: healthOf,
      operations: options.operations,
      config: clientConfig(config, options.client),
      host,
      secure: !config.EMBEDDED,
    }),
    admission: access.admission,
    cors: cors(options.originAllowed),
    metrics: options.metrics,
    trace: tracer(backplane, clock),
    traced: traceBudget(clock),
    clock,
    log,
    requestId: options.newId,
  })
  return { handle, health: healthOf }
}
