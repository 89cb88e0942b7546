import { metrics } from '../../process/metrics.ts'
import { openPorts } from '../../process/open-ports.ts'
import { runProcess } from '../../process/process.ts'
import { startWorker } from '../../worker/worker.ts'
import { counterMesh } from './contract.ts'
import { counterActor } from './counter.ts'

/*
 * The counter as a worker of its own, on the engines that the environment names. SIGTERM drains it.
 */
runProcess({
  mesh: counterMesh,
  name: counterActor.name,
  start: async ({ config, log, registry }) => {
    const counted = metrics(counterMesh, registry)
    const { ports, close } = await openPorts(counterMesh, config, log)
    const worker = startWorker({ mesh: counterMesh, code: counterActor.code(config), ports, config, log, metrics: counted })
    return {
      info: {},
      health: worker.health,
      spans: ports.backplane.spans,
      drain: async () => {
        await worker.drain(config.WORKER_DRAIN_MS)
        await close()
      },
    }
  },
})
