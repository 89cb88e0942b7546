import { type Config, environment, readConfig } from '../../actors/kernel/config/config.ts'
import { type Clients, openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { mesh } from '../../contracts/mesh.ts'

export type Witness = {
  readonly config: Config
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Where the witness is and the keys that it knows, as `npm run witness` tells its suites. @throws when they are run without it */
export const witness = (): Witness => {
  const config = readConfig(environment({}), mesh)
  const { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error('no witness is named: run npm run witness, which starts one')
  return { config, endpoint, accessKeyId, secretAccessKey }
}

/** The mesh's own clients, as every process of a deployment opens them. */
export const witnessClients = (): Clients => openClients(witness().config)
