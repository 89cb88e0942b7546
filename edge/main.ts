import { backplaneMetrics } from '../actors/kernel/ports/backplane/metrics.ts'
import { metrics } from '../actors/kernel/process/metrics.ts'
import { openPorts } from '../actors/kernel/process/open-ports.ts'
import { runProcess } from '../actors/kernel/process/process.ts'
import { watchRoutes } from '../actors/kernel/process/route-watch.ts'
import { productOf } from '../actors/product.ts'
import { mesh } from '../contracts/mesh.ts'
import { startEdge } from './edge.ts'

/*
 * One edge: `node --import tsx edge/main.ts`. SIGTERM drains it.
 */
runProcess({
  mesh,
  name: 'edge',
  start: async ({ config, log, registry }) => {
    const counted = metrics(mesh, registry)
    const product = productOf(config)
    const { ports, findMissingRoutes, close } = await openPorts(mesh, config, log, (kind, _ms, ok) =>
      counted.engine.inc({ kind, ok: String(ok) }),
    )
    const routes = watchRoutes(findMissingRoutes, { clock: ports.clock, log, metrics: counted })
    backplaneMetrics(mesh, ports.backplane.health, registry)
    const edge = await startEdge({ ...product, config, ports, log, registry, metrics: counted, routes })
    return {
      info: { url: edge.url, stream: edge.streamUrl, server: edge.server, serverWhy: edge.serverWhy },
      health: edge.health,
      spans: ports.backplane.spans,
      drain: async () => {
        routes.stop()
        await edge.drain()
        await close()
      },
    }
  },
})
