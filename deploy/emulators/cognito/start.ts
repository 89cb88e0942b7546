import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { makeFolder } from '../folder.ts'
import type { CodeMessage, PostConfirmationEvent } from './ipc.ts'
import { superviseChild } from './supervise.ts'

export type { CodeMessage, PostConfirmationEvent }

const REGION = 'us-east-1'
/** Fixed, so that tokens and clients outlive a restart; both have the form of real ones. */
const USER_POOL_ID = `${REGION}_dailygrnd`
const CLIENT_ID = 'dailygrindembeddedclient00'

export type Cognito = {
  /** Where the Cognito protocol is spoken: `http://127.0.0.1:<port>`, unless it was given another host. */
  endpoint: string
  region: string
  userPoolId: string
  /** A public client: no secret; `USER_SRP_AUTH`, `USER_PASSWORD_AUTH` and `REFRESH_TOKEN_AUTH`. */
  clientId: string
  /** The pool's keys, for `cacheJwks`: the issuer's own address knows nothing of this pool. */
  jwks: Jwks
  /** What tokens name as `iss`, the form `CognitoJwtVerifier` expects for the pool. */
  issuer: string
  /** The process that serves it now; another one after it died. */
  pid(): number | undefined
  /** Why nobody can be served, or what they do be kept, at the moment; undefined while all is well. */
  trouble(): string | undefined
  close(): Promise<void>
}

/**
 * Starts an embedded Cognito with one pool, whose people sign in with an e-mail address and are confirmed as they sign up.
 * @param dataDir keeps the users over restarts (unencrypted, passwords too); without it they are gone at `close`.
 * @param host 127.0.0.1, the default; another only inside a container whose ports are published on loopback.
 * @param port of it; 0, the default, takes a free one. Rejects with `code` EADDRINUSE when it is taken.
 * @param origins whose pages may call besides those of this machine: those that the API takes.
 * @param production refuses to start: the key that signs the tokens is published with cognito-local.
 * @param onPostConfirmation the post-confirmation trigger; sign-up answers when it has finished. What it throws, sign-up
 *   answers as `UserLambdaValidationException`, and the user exists all the same.
 * @param onCode gets the codes that Cognito would send by e-mail; without it they are printed.
 * @param warn told when the process ended by itself and is started again, and when users cannot be kept, or can again.
 */
export async function startCognito({
  dataDir,
  host = '127.0.0.1',
  port = 0,
  origins = [],
  production,
  onPostConfirmation,
  onCode = message => console.error(describeCode(message)),
  warn = text => console.error(text),
}: {
  dataDir?: string
  host?: string
  port?: number
  origins?: readonly string[]
  production: boolean
  onPostConfirmation(event: PostConfirmationEvent): Promise<void>
  onCode?: (message: CodeMessage) => void
  warn?: (text: string) => void
}): Promise<Cognito> {
  if (production) throw new Error('the embedded Cognito signs with a key that everybody knows: set a real user pool in production')
  const kept = dataDir === undefined ? undefined : resolve(dataDir)
  if (kept !== undefined) await makeFolder(kept)
  const directory = kept ?? (await mkdtemp(join(tmpdir(), 'dailygrind-cognito-')))
  const clean = async (): Promise<void> => {
    if (kept === undefined) await rm(directory, { recursive: true, force: true })
  }
  const config = { host, port, origins, dataDir: directory, region: REGION, userPoolId: USER_POOL_ID, clientId: CLIENT_ID }
  try {
    const child = await superviseChild(config, onPostConfirmation, onCode, warn)
    return {
      endpoint: `http://${host}:${child.port}`,
      region: REGION,
      userPoolId: USER_POOL_ID,
      clientId: CLIENT_ID,
      jwks: child.jwks,
      issuer: `https://cognito-idp.${REGION}.amazonaws.com/${USER_POOL_ID}`,
      pid: child.pid,
      trouble: child.trouble,
      async close() {
        await child.close()
        await clean()
      },
    }
  } catch (error) {
    await clean()
    throw error
  }
}

/** For whoever runs it: they are who would look into the mailbox. */
export function describeCode({ to, code, purpose, validMinutes }: CodeMessage): string {
  const use = purpose === 'password' ? 'to set a new password' : 'to prove the address'
  return `no e-mail is sent here: ${to} gets the code ${code} ${use}, good for ${validMinutes} minutes`
}
