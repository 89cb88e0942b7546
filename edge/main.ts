import { metrics } from '../actors/kernel/metrics.ts'
import { openPorts } from '../actors/kernel/open.ts'
import { runProcess } from '../actors/kernel/process.ts'
import { startEdge } from './edge.ts'

/*
 * One edge: `node --import tsx edge/main.ts`. SIGTERM drains it.
 */
runProcess({
  name: 'edge',
  start: async ({ config, log, registry }) => {
    const counted = metrics(registry)
    const { ports, close } = await openPorts(config, log, (kind, _ms, ok) => counted.engine.inc({ kind, ok: String(ok) }))
    const edge = await startEdge({ config, ports, log, registry, metrics: counted })
    return {
      info: { url: edge.url, stream: edge.streamUrl, server: edge.server },
      health: edge.health,
      spans: ports.backplane.spans,
      drain: async () => {
        await edge.drain()
        await close()
      },
    }
  },
})
