import { collectDefaultMetrics, Registry } from 'prom-client'
import { actorsOf } from '../../actors/catalog.ts'
import { environment, readConfig } from '../../actors/kernel/config/config.ts'
import { backplaneMetrics } from '../../actors/kernel/ports/backplane/metrics.ts'
import { startOperations } from '../../actors/kernel/process/admin-server.ts'
import { metrics } from '../../actors/kernel/process/metrics.ts'
import { watchRoutes } from '../../actors/kernel/process/route-watch.ts'
import { startWorker } from '../../actors/kernel/worker/worker.ts'
import { productOf } from '../../actors/product.ts'
import { mesh } from '../../contracts/mesh.ts'
import { startEdge } from '../../edge/edge.ts'
import { logger } from './logs.ts'
import { startProvisioned } from './provisioned.ts'
import { type Running, type RunOptions, STOPPING } from './running.ts'
import { settleAll } from './settle.ts'
import { stack } from './stack.ts'
/** Engines, edge and actors in this process. */
export const runInOneProcess = async ({ settings, data, log, logTo, progress, steps, trouble }: RunOptions): Promise<Running> => {
  const registry = new Registry()
  // A finer event loop histogram wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const base = readConfig(environment(settings), mesh)
  const named = (name: string) => logger(name, base.LOG_LEVEL, logTo)
  const started = stack(log)
  try {
    progress('engines: DynamoDB, SQS, SNS, Cognito, Redis')
    const counted = metrics(mesh, registry)
    const onCall = (kind: string, _ms: number, ok: boolean) => counted.engine.inc({ kind, ok: String(ok) })
    const engines = await startProvisioned({ config: base, settings, data, log: named('engines'), onCall, steps })
    started.push('the engines', STOPPING.engines, engines.close)
    const { config, opened } = engines
    const { ports } = opened

    const routes = watchRoutes(opened.findMissingRoutes, { clock: ports.clock, log: named('mesh'), metrics: counted })
    started.push('looking at routes', 500, async () => routes.stop())
    const codes = actorsOf(config)
    progress(`actors: ${codes.map(code => code.declaration.name).join(', ')}`)
    const workers = codes.map(code => {
      const { name } = code.declaration
      return { name, ...startWorker({ mesh, code, ports, config, log: named(name), metrics: counted, routes }) }
    })
    started.push('the actors', STOPPING.actors, () => Promise.all(workers.map(w => w.drain(STOPPING.actors))))
    started.push('messages under way', STOPPING.messages + 1_000, () =>
      settleAll(engines.settings.AWS_ENDPOINT_URL_SQS, config.PREFIX, STOPPING.messages, log),
    )

    backplaneMetrics(mesh, ports.backplane.health, registry)
    progress('edge')
    const edge = await steps.take(
      'the edge',
      () => startEdge({ ...productOf(config, codes), config, ports, log: named('edge'), registry, metrics: counted, routes }),
      late => late.drain(),
    )
    started.push('the edge', STOPPING.edge, edge.drain)
    const operations = await startOperations({
      title: mesh.title,
      port: config.OPERATIONS_PORT,
      host: config.HOST,
      registry,
      health: async () => {
        const troubles = [trouble() ?? [], engines.troubles()].flat()
        const parts = {
          edge: await edge.health(),
          ...Object.fromEntries(workers.map(w => [w.name, w.health()])),
          engines: { ok: troubles.length === 0, troubles },
        }
        return { ok: Object.values(parts).every(p => p.ok), parts }
      },
      spans: ports.backplane.spans,
    })
    started.push('operations', 500, operations.close)
    return {
      url: edge.url,
      stream: edge.streamUrl,
      operations: operations.url,
      server: { name: edge.server, why: edge.serverWhy },
      engines: engines.settings,
      processes: () => [{ name: 'mesh', pid: process.pid, restarts: 0 }],
      stop: started.unwind,
      // What runs in children of ours ends with us.
      kill: () => {},
    }
  } catch (error) {
    await started.unwind()
    throw error
  }
}
