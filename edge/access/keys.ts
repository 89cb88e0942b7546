import { JwtVerifier } from 'aws-jwt-verify'
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier'
import { type Fetcher, SimpleFetcher } from 'aws-jwt-verify/https'
import { assertIsJwks, type Jwks, SimpleJwksCache } from 'aws-jwt-verify/jwk'
import type { JwtPayload } from 'aws-jwt-verify/jwt-model'
import { safeJsonParse } from 'aws-jwt-verify/safe-json-parse'
import type { Config } from '../../actors/kernel/config/config.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'

/** The pool's keys, and the verification of tokens with them. */

export type PoolConfig = Pick<Config, 'COGNITO_USER_POOL_ID' | 'COGNITO_CLIENT_ID' | 'COGNITO_ISSUER' | 'COGNITO_JWKS'>

/** The keys cannot be had: nothing can be said of any token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

/** At most one fetch of the keys in this time, whatever the tokens name: neither an outage nor made-up key ids become a flood. */
const WINDOW_MS = 10_000

const once = (fetcher: Fetcher, clock: Clock, fetched: () => void): Fetcher => {
  let failed: { at: number; error: KeysUnavailable } | undefined
  return {
    fetch: async (uri, options, data) => {
      if (failed && clock.elapsed() - failed.at < WINDOW_MS) throw failed.error
      try {
        const keys = await fetcher.fetch(uri, options, data)
        fetched()
        return keys
      } catch (cause) {
        failed = { at: clock.elapsed(), error: new KeysUnavailable('the keys of the user pool cannot be fetched', { cause }) }
        throw failed.error
      }
    },
  }
}
const never: Fetcher = { fetch: () => Promise.reject(new Error('the keys were given and are not fetched')) }

/** AWS's issuers of a pool: the regional one, and the newer global form. */
const awsIssuers = (pool: string) => {
  const region = pool.split('_')[0]
  return [`https://cognito-idp.${region}.amazonaws.com/${pool}`, `https://issuer-cognito-idp.${region}.amazonaws.com/${pool}`]
}

/**
 * Verifies access and ID tokens of one pool and client.
 * @param fetcher for tests; by default the keys come over HTTPS from the issuer, or from `COGNITO_JWKS` when given
 * @throws an error at once when the pool is not configured or the given keys are no JWKS
 */
export const tokenVerifier = (config: PoolConfig, clock: Clock, fetcher: Fetcher = new SimpleFetcher()) => {
  const { COGNITO_USER_POOL_ID: pool, COGNITO_CLIENT_ID: clientId, COGNITO_ISSUER: issuer, COGNITO_JWKS: given } = config
  if (!pool || !clientId) throw new Error('COGNITO_USER_POOL_ID and COGNITO_CLIENT_ID are needed to verify tokens')
  let known = given !== undefined
  const fetched = () => {
    known = true
  }
  const issuers = issuer === undefined ? awsIssuers(pool) : [issuer]
  const verifier = JwtVerifier.create(
    issuers.map(issuer => ({
      issuer,
      audience: null,
      customJwtCheck: ({ payload }: { payload: JwtPayload }) => validateCognitoJwtFields(payload, { tokenUse: null, clientId }),
    })),
    { jwksCache: new SimpleJwksCache({ fetcher: given === undefined ? once(fetcher, clock, fetched) : never }) },
  )
  if (given !== undefined) for (const issuer of issuers) verifier.cacheJwks(readJwks(given), issuer)
  return {
    /** Whether the keys were had once; from then on an outage does not matter. */
    ready: () => known,
    /** Fetches the keys ahead of the first token. @throws KeysUnavailable */
    hydrate: async () => {
      if (!known) await verifier.hydrate()
    },
    /** @returns the token's claims. @throws KeysUnavailable when the keys were never had, or whatever is wrong with the token */
    verify: (token: string) => verifier.verify(token),
  }
}
export type TokenVerifier = ReturnType<typeof tokenVerifier>

const readJwks = (text: string): Jwks => {
  try {
    const jwks = safeJsonParse(text)
    assertIsJwks(jwks)
    return jwks
  } catch (cause) {
    throw new Error(`COGNITO_JWKS is not a JSON Web Key Set: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
