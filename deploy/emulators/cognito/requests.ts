import { CognitoJwtVerifier } from 'aws-jwt-verify'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { CognitoError, InvalidParameterError, NotAuthorizedError, UsernameExistsError } from 'cognito-local/lib/errors.js'
import type { Router } from 'cognito-local/lib/server/Router.js'
import type { Context } from 'cognito-local/lib/services/context.js'

type Fields = Record<string, unknown>

/** Answers one request of the Cognito protocol; throws a `CognitoError` whose `code` is the protocol's name of the error. */
export type Answer = (target: string, body: Fields) => Promise<unknown>

/** The pool's password policy: length only. Cognito's own least is 6, its default 8. */
export const MIN_PASSWORD = 8

/** A client may not set these itself; `sub` above all: it is the user id. */
const READ_ONLY = /^(sub|email_verified|phone_number_verified|cognito:.*)$/

/**
 * Puts Cognito's checks and errors before cognito-local, which accepts any password, lets a client choose its `sub`,
 * does not verify the access tokens it is given, and names a wrong password otherwise.
 */
export function cognitoRequests(route: Router, ctx: Context, pool: { userPoolId: string; clientId: string; jwks: Jwks }): Answer {
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool.userPoolId, clientId: pool.clientId, tokenUse: 'access' })
  verifier.cacheJwks(pool.jwks)

  const checkAccessToken = (token: unknown): void => {
    try {
      verifier.verifySync(String(token))
    } catch {
      throw new NotAuthorizedError('Invalid Access Token')
    }
  }

  return async (target, body) => {
    if ('AccessToken' in body) checkAccessToken(body.AccessToken)
    const call = async (): Promise<unknown> => route(target)(ctx, body)
    if (target === 'SignUp') return signUp(body, call)
    if (target === 'InitiateAuth') return initiateAuth(body, call)
    if (target === 'ChangePassword') checkPassword(body.ProposedPassword)
    if (target === 'ConfirmForgotPassword' || target === 'AdminSetUserPassword') checkPassword(body.Password)
    return call()
  }
}

async function signUp(body: Fields, call: () => Promise<unknown>): Promise<unknown> {
  const username = required(body, 'Username')
  if (!/^[^\s@]+@[^\s@]+$/.test(username)) throw new InvalidParameterError('Username should be an email.')
  checkPassword(body.Password)
  for (const { Name, Value } of attributes(body.UserAttributes)) {
    if (READ_ONLY.test(Name)) throw new NotAuthorizedError('A client attempted to write unauthorized attribute')
    if (Name === 'email' && Value.toLowerCase() !== username.toLowerCase()) {
      throw new InvalidParameterError('The email attribute must be the address that is the username.')
    }
  }
  try {
    return await call()
  } catch (error) {
    if (isCode(error, 'AliasExistsException')) throw new UsernameExistsError()
    throw error
  }
}

async function initiateAuth(body: Fields, call: () => Promise<unknown>): Promise<unknown> {
  const flow = required(body, 'AuthFlow')
  const refresh = flow === 'REFRESH_TOKEN_AUTH' || flow === 'REFRESH_TOKEN'
  if (!refresh && flow !== 'USER_PASSWORD_AUTH') throw new InvalidParameterError(`${flow} flow not enabled for this client`)
  const parameters = isFields(body.AuthParameters) ? body.AuthParameters : {}
  for (const name of refresh ? ['REFRESH_TOKEN'] : ['USERNAME', 'PASSWORD']) required(parameters, name)
  try {
    const answer = await call()
    if (!isFields(answer) || !isFields(answer.AuthenticationResult)) return answer
    const result = { ...answer.AuthenticationResult, TokenType: 'Bearer', ExpiresIn: secondsLeft(answer.AuthenticationResult.AccessToken) }
    return { ...answer, ChallengeParameters: {}, AuthenticationResult: result }
  } catch (error) {
    if (!isCode(error, 'InvalidPasswordException') && !isCode(error, 'NotAuthorizedException')) throw error
    // One message for a wrong password and an unknown address: whether an account exists is nobody's business.
    throw new NotAuthorizedError(refresh ? 'Invalid Refresh Token' : 'Incorrect username or password.')
  }
}

function checkPassword(password: unknown): void {
  if (typeof password === 'string' && [...password].length >= MIN_PASSWORD) return
  throw new CognitoError('InvalidPasswordException', 'Password did not conform with policy: Password not long enough')
}

function required(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidParameterError(`Missing required parameter ${name}`)
}

function attributes(value: unknown): { Name: string; Value: string }[] {
  return (Array.isArray(value) ? value : []).map(each =>
    isFields(each) ? { Name: String(each.Name), Value: String(each.Value) } : { Name: '', Value: '' },
  )
}

function secondsLeft(token: unknown): number {
  const { iat, exp } = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString())
  return exp - iat
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof CognitoError && error.code === code
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
