import { z } from 'zod'
import { runProcess } from '../../actors/kernel/process/process.ts'
import { mesh } from '../../contracts/mesh.ts'
import { startProvisioned } from './provisioned.ts'
import { createSteps } from './steps.ts'

const Ports = z.partialRecord(z.enum(['cognito', 'dynamodb', 'sqsSns', 'redis', 'postgres']), z.int())

/*
 * The engines as a process of the mesh. Its settings carry two values that are nobody else's: where data lies, and the ports of the incarnation before.
 */
runProcess({
  mesh,
  name: 'engines',
  last: true,
  start: async ({ config, settings, log }) => {
    const { ENGINE_DATA: data, ENGINE_PORTS: ports = '{}' } = settings
    if (data === undefined) throw new Error('the engines are started by deploy/embedded/main.ts, which says where data lies')
    const engines = await startProvisioned({ config, settings, data, ports: Ports.parse(JSON.parse(ports)), log, steps: createSteps() })
    return {
      info: { ...engines.settings, ENGINE_PORTS: JSON.stringify(engines.ports) },
      health: () => {
        const troubles = engines.troubles()
        return { ok: troubles.length === 0, troubles }
      },
      spans: engines.opened.ports.backplane.spans,
      drain: engines.close,
    }
  },
})
