import { randomUUID, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import type { AppClient } from 'cognito-local/lib/services/appClient.js'
import type { Clock } from 'cognito-local/lib/services/clock.js'
import { attributesToRecord, type User } from 'cognito-local/lib/services/userPoolService.js'
import { claimsOf } from './fields.ts'

const TOKEN_SECONDS = 3_600
const REFRESH_TOKEN_SECONDS = 30 * 86_400

const { pem }: { pem: string } = createRequire(import.meta.url)('cognito-local/lib/keys/cognitoLocal.private.json')

export type IssuedTokens = {
  readonly AccessToken: string
  readonly IdToken: string
  readonly TokenType: 'Bearer'
  readonly ExpiresIn: number
}
/** A sign-in: all tokens that come of it name it. `origin` is their `origin_jti`. */
export type Session = { readonly origin: string; readonly authTime: number }
export type SessionTokens = { readonly refreshToken: string; readonly session: Session }

/**
 * Tokens as Cognito's of today: cognito-local's lack `origin_jti`, without which its clients revoke nothing when they sign out, say of every address that
 * it is verified, and forget at a renewal when the person signed in.
 */
export function tokenIssuer(region: string, clock: Clock) {
  const now = (): number => Math.floor(clock.get().getTime() / 1000)
  return {
    /** The refresh token stands for the session: who has none of it left has signed out. */
    beginSession(user: User, client: AppClient): SessionTokens {
      const session = { origin: randomUUID(), authTime: now() }
      const refreshToken = signed(issuer(region, client), REFRESH_TOKEN_SECONDS, now(), {
        'cognito:username': user.Username,
        origin_jti: session.origin,
        auth_time: session.authTime,
      })
      return { refreshToken, session }
    },

    issue(user: User, groups: readonly string[], client: AppClient, { origin, authTime }: Session): IssuedTokens {
      const { sub = user.Username, email, email_verified } = attributesToRecord(user.Attributes)
      const both = {
        sub,
        origin_jti: origin,
        event_id: randomUUID(),
        auth_time: authTime,
        ...(groups.length === 0 ? {} : { 'cognito:groups': groups }),
      }
      const iss = issuer(region, client)
      const access = {
        client_id: client.ClientId,
        version: 2,
        token_use: 'access',
        scope: 'aws.cognito.signin.user.admin',
        username: user.Username,
      }
      const id = {
        aud: client.ClientId,
        token_use: 'id',
        email,
        email_verified: email_verified === 'true',
        'cognito:username': user.Username,
      }
      return {
        AccessToken: signed(iss, TOKEN_SECONDS, now(), { ...both, ...access }),
        IdToken: signed(iss, TOKEN_SECONDS, now(), { ...both, ...id }),
        TokenType: 'Bearer',
        ExpiresIn: TOKEN_SECONDS,
      }
    },
  }
}
export type TokenIssuer = ReturnType<typeof tokenIssuer>

/** The session of a refresh token; those that an earlier version issued are sessions of their own. */
export function sessionOf(refreshToken: string): Session {
  const { jti, origin_jti = jti, iat, auth_time = iat } = claimsOf(refreshToken)
  return { origin: String(origin_jti), authTime: Number(auth_time) }
}

function issuer(region: string, client: AppClient): string {
  return `https://cognito-idp.${region}.amazonaws.com/${client.UserPoolId}`
}

function signed(iss: string, seconds: number, iat: number, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = `${part({ kid: 'CognitoLocal', alg: 'RS256' })}.${part({ ...claims, iss, iat, exp: iat + seconds, jti: randomUUID() })}`
  return `${body}.${sign('RSA-SHA256', Buffer.from(body), pem).toString('base64url')}`
}
