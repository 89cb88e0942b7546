import { catalog, configured } from './catalog.ts'
import { backplaneMetrics } from './kernel/backplane/metrics.ts'
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
      const { ports, close } = await openPorts(config, log, (kind, _ms, ok) => counted.engine.inc({ kind, ok: String(ok) }))
      backplaneMetrics(ports.backplane.health, registry)
      const worker = startWorker({ code, ports, config, log, metrics: counted })
      return {
        info: {},
        health: worker.health,
        spans: ports.backplane.spans,
        drain: async () => {
          await worker.drain()
          await close()
        },
      }
    },
  })
}
