import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'

/** A user pool of the test's own: real RS256 keys, and tokens as Cognito makes them, or wrong in one way. */

export const POOL = 'eu-central-1_TestPool1'
export const CLIENT = 'testclient'
export const ISSUER = `https://cognito-idp.eu-central-1.amazonaws.com/${POOL}`

export type TokenChanges = {
  readonly use?: 'access' | 'id' | 'refresh'
  readonly issuer?: string
  readonly client?: string
  /** Seconds from now. */
  readonly expiresIn?: number
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  /** Signs with another key, under the same key id. */
  readonly key?: KeyObject
  /** Replaces the signature. */
  readonly signature?: (input: string) => string
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export const newPool = (kid = 'key-1') => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] }
  const token = (sub: string, changes: TokenChanges = {}): string => {
    const { use = 'access', issuer = ISSUER, client = CLIENT, expiresIn = 3600, header, claims, key = privateKey, signature } = changes
    const now = Math.floor(Date.now() / 1000)
    const input = `${part({ alg: 'RS256', typ: 'JWT', kid, ...header })}.${part({
      sub,
      iss: issuer,
      token_use: use,
      ...(use === 'id' ? { aud: client } : { client_id: client }),
      iat: now - 10,
      exp: now + expiresIn,
      ...claims,
    })}`
    return `${input}.${signature?.(input) ?? createSign('RSA-SHA256').update(input).sign(key, 'base64url')}`
  }
  return { jwks, token, publicKey }
}
export type TestPool = ReturnType<typeof newPool>
