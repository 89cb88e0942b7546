import { mesh } from '../contracts/mesh.ts'
import { catalog } from './catalog.ts'
import { backplaneMetrics } from './kernel/ports/backplane/metrics.ts'
import { metrics } from './kernel/process/metrics.ts'
import { openPorts } from './kernel/process/open-ports.ts'
import { runProcess } from './kernel/process/process.ts'
import { watchRoutes } from './kernel/process/route-watch.ts'
import { startWorker } from './kernel/worker/worker.ts'

/*
 * One actor as a worker: `node --import tsx actors/main.ts posts`. SIGTERM drains it.
 */
const choice = process.argv[2]
const actor = catalog.find(a => a.name === choice)

if (actor === undefined) {
  const names = catalog.map(a => a.name).join(', ')
  process.stderr.write(
    `${choice === undefined ? 'An actor must be named' : `There is no actor ${JSON.stringify(choice)}`}: one of ${names}\n`,
  )
  process.exitCode = 2
} else {
  runProcess({
    mesh,
    name: actor.name,
    start: async ({ config, log, registry }) => {
      const counted = metrics(mesh, registry)
      const { ports, findMissingRoutes, close } = await openPorts(mesh, config, log, (kind, _ms, ok) =>
        counted.engine.inc({ kind, ok: String(ok) }),
      )
      const routes = watchRoutes(findMissingRoutes, { clock: ports.clock, log, metrics: counted })
      backplaneMetrics(mesh, ports.backplane.health, registry)
      const worker = startWorker({ mesh, code: actor.code(config), ports, config, log, metrics: counted, routes })
      return {
        info: {},
        health: worker.health,
        spans: ports.backplane.spans,
        drain: async () => {
          routes.stop()
          await worker.drain(config.WORKER_DRAIN_MS)
          await close()
        },
      }
    },
  })
}
