import type { Config } from '../../config/config.ts'
import type { Credentials } from './signer.ts'

/** The parts of the configuration that decide about credentials; a caller on embedded engines says `EMBEDDED` and needs no other. */
export type CredentialsConfig = Pick<Config, 'EMBEDDED'> &
  Partial<Pick<Config, 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN' | 'AWS_PROFILE' | 'EMBEDDED_ENDPOINTS'>>

/** The embedded engines look at no signature; AWS never sees this one. */
const EMBEDDED_CREDENTIALS: Credentials = { accessKeyId: 'local', secretAccessKey: 'local' }

/**
 * The credentials of a client of this endpoint.
 *
 * - An engine that the mesh embeds gets fixed ones: a developer's keys are not shown to it, and an expired profile does not keep the mesh from starting.
 * - Every other engine, AWS or an emulator, gets the key pair of the environment, and without one what the SDK's own chain finds (nothing is returned).
 * - A mesh on one machine that names an emulator and neither keys nor a profile gets the fixed ones, too: most emulators ask for none.
 */
export const credentialsFor = (config: CredentialsConfig, endpoint: string | undefined): { readonly credentials?: Credentials } => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = config
  if (endpoint !== undefined && config.EMBEDDED_ENDPOINTS?.includes(endpoint)) return { credentials: EMBEDDED_CREDENTIALS }
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }
  if (endpoint !== undefined && config.EMBEDDED && config.AWS_PROFILE === undefined) return { credentials: EMBEDDED_CREDENTIALS }
  return {}
}
