import { CognitoJwtVerifier } from 'aws-jwt-verify'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { CognitoError, NotAuthorizedError } from 'cognito-local/lib/errors.js'
import type { AppClient } from 'cognito-local/lib/services/appClient.js'
import type { Person } from './email-pool.ts'
import { claimsOf, type Fields, required } from './fields.ts'
import { checkEnabled, type Operation, type People } from './people.ts'
import { sessionOf, type TokenIssuer } from './tokens.ts'

export type Sessions = {
  begin(person: Person, client: AppClient): Promise<unknown>
  renew(refreshToken: string, client: AppClient): Promise<unknown>
}

/**
 * What people are signed in with. A session is the refresh token that is kept in the user's record: signing out removes it, and with it end the access tokens
 * that came of it, as far as this pool is asked. Whoever verifies them by their signature takes them until they expire, as of Cognito's own.
 */
export function poolSessions(people: People, issuer: TokenIssuer): Sessions {
  return {
    async begin(person, client) {
      const { refreshToken, session } = issuer.beginSession(person, client)
      const tokens = issuer.issue(person, await people.groupsOf(person), client, session)
      await people.addRefreshToken(person, refreshToken)
      return { ChallengeParameters: {}, AuthenticationResult: { ...tokens, RefreshToken: refreshToken } }
    },
    async renew(refreshToken, client) {
      const person = await people.findByRefreshToken(refreshToken)
      if (person === null) throw new NotAuthorizedError('Invalid Refresh Token')
      checkEnabled(person)
      const tokens = issuer.issue(person, await people.groupsOf(person), client, sessionOf(refreshToken))
      return { ChallengeParameters: {}, AuthenticationResult: tokens }
    },
  }
}

/** Whose access token it is; throws unless it is one of this pool's, of a session that goes on. */
export type WhoseToken = (body: Fields) => Promise<Person>

export function tokenOwner(people: People, pool: { userPoolId: string; clientId: string; jwks: Jwks }): WhoseToken {
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool.userPoolId, clientId: pool.clientId, tokenUse: 'access' })
  verifier.cacheJwks(pool.jwks)
  const verify = (token: unknown) => {
    try {
      return verifier.verifySync(String(token))
    } catch {
      throw new NotAuthorizedError('Invalid Access Token')
    }
  }
  return async body => {
    const { username, origin_jti: origin } = verify(body.AccessToken)
    const person = await people.get(username)
    checkEnabled(person)
    // An earlier version issued some without; they last an hour.
    if (origin !== undefined && !person.RefreshTokens.some(token => sessionOf(token).origin === origin))
      throw new NotAuthorizedError('Access Token has been revoked')
    return person
  }
}

export function sessionOperations(people: People, sessions: Sessions, whose: WhoseToken, now: () => number) {
  const endAll = async (person: Person, more: Partial<Person> = {}): Promise<unknown> => {
    await people.save({ ...person, ...more, RefreshTokens: [] })
    return {}
  }
  return {
    GetTokensFromRefreshToken: async body => sessions.renew(required(body, 'RefreshToken'), await people.clientOf(body)),
    GlobalSignOut: async body => endAll(await whose(body)),
    AdminUserGlobalSignOut: async body => endAll(await people.get(required(body, 'Username'))),
    AdminDisableUser: async body =>
      endAll(await people.get(required(body, 'Username')), { Enabled: false, UserLastModifiedDate: new Date(now()) }),
    /** What is revoked already, or never was one, is answered alike (RFC 7009, 2.2): whoever signs out may ask twice. */
    async RevokeToken(body) {
      const token = required(body, 'Token')
      await people.clientOf(body)
      if (claimsOf(token).token_use !== undefined) throw new CognitoError('UnsupportedTokenTypeException', 'Unsupported token type')
      const person = await people.findByRefreshToken(token)
      if (person !== null) await people.save({ ...person, RefreshTokens: person.RefreshTokens.filter(each => each !== token) })
      return {}
    },
  } satisfies Record<string, Operation>
}
