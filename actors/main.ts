import { catalog, configured } from './catalog.ts'
import { watchRoutes } from './kernel/events/route-watch.ts'
import { metrics } from './kernel/metrics.ts'
import { openPorts } from './kernel/open.ts'
import { runProcess } from './kernel/process.ts'
import { startWorker } from './kernel/worker.ts'

/*
 * One actor as a worker: `node --import tsx actors/main.ts posts`. SIGTERM drains it.
 */
const choice = process.argv[2]
const name = catalog.map(c => c.declaration.name).find(n => n === choice)

if (name === undefined) {
  const names = catalog.map(c => c.declaration.name).join(', ')
  process.stderr.write(
    `${choice === undefined ? 'An actor must be named' : `There is no actor ${JSON.stringify(choice)}`}: one of ${names}\n`,
  )
  process.exitCode = 2
} else {
  runProcess({
    name,
    start: async ({ config, log, registry }) => {
      const code = configured(config).find(c => c.declaration.name === name)
      if (code === undefined) throw new Error(`${name} is not configured here`)
      const counted = metrics(registry)
      const { ports, findMissingRoutes, close } = await openPorts(config, log, (kind, _ms, ok) =>
        counted.engine.inc({ kind, ok: String(ok) }),
      )
      const routes = watchRoutes(findMissingRoutes, { clock: ports.clock, log, metrics: counted })
      const worker = startWorker({ code, ports, config, log, metrics: counted, routes })
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
