import { type Config, environment, readConfig } from '../../actors/kernel/config/config.ts'
import type { OnCall } from '../../actors/kernel/ports/aws/calls.ts'
import { type OpenPorts, openPorts } from '../../actors/kernel/process/open-ports.ts'
import { registerUser } from '../../actors/users/post-confirmation.ts'
import { mesh } from '../../contracts/mesh.ts'
import { provision } from '../provision/main.ts'
import { AWS_PACE, EMBEDDED_PACE } from '../provision/retry.ts'
import { type Engines, type EnginesOptions, startEngines } from './engines.ts'
import { createSteps } from './steps.ts'

export type Provisioned = Engines & {
  /** The environment with the engines in it. */
  readonly config: Config
  readonly opened: OpenPorts
}

/** The engines with the mesh's tables, queues and topics in them, and with sign-ups reaching the users actor. */
export const startProvisioned = async (
  options: Omit<EnginesOptions, 'onPostConfirmation'> & { readonly settings: Readonly<Record<string, string>>; readonly onCall?: OnCall },
): Promise<Provisioned> => {
  // A person may sign up while the queues are still being made.
  let connected: (ports: OpenPorts['ports']) => void = () => {}
  const ports = new Promise<OpenPorts['ports']>(resolve => {
    connected = resolve
  })
  const engines = await startEngines({ ...options, onPostConfirmation: async event => registerUser(await ports, event) })
  try {
    const config = readConfig(environment({ ...options.settings, ...engines.settings }), mesh)
    const { steps = createSteps(), log, onCall } = options
    const opened = await steps.take(
      'the connections to the engines',
      () => openPorts(mesh, config, log, onCall),
      late => late.close(),
    )
    const isEmbedded = engines.settings.AWS_ENDPOINT_URL_SQS !== undefined && engines.settings.AWS_ENDPOINT_URL_DYNAMODB !== undefined
    await steps.take('the provisioning of tables, queues and topics', () =>
      provision({ clients: opened.clients, topology: mesh.topology(config.PREFIX), pace: isEmbedded ? EMBEDDED_PACE : AWS_PACE }),
    )
    connected(opened.ports)
    const close = async () => {
      await opened.close()
      await engines.close()
    }
    return { ...engines, config, opened, close }
  } catch (error) {
    await engines.close()
    throw error
  }
}
