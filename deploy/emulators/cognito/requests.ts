import { InvalidParameterError, UsernameExistsError } from 'cognito-local/lib/errors.js'
import type { Router } from 'cognito-local/lib/server/Router.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import { createLocks } from '../locks.ts'
import { checkDeletable, isAddress, writableAttributes } from './addresses.ts'
import { checkPassword, claimsOf, type Fields, fieldsOf, isCode, required } from './fields.ts'
import type { Operation, People } from './people.ts'
import type { WhoseToken } from './sessions.ts'

/** Answers one request of the Cognito protocol; throws a `CognitoError` whose `code` is the protocol's name of the error. */
export type Answer = (target: string, body: Fields) => Promise<unknown>

/** cognito-local has them and looks at nobody's proof, or signs in who must not be. The pool has neither second factors nor sign-ins by administrators. */
const NOT_OF_THIS_POOL = /^(AdminInitiateAuth|AssociateSoftwareToken|VerifySoftwareToken|SetUserMFAPreference|SetUserPoolMfaConfig)$/

/**
 * Puts Cognito's checks, errors and what it lacks before cognito-local, which accepts any password, lets a client choose its `sub` and does not verify the
 * access tokens it is given. One request at a time changes a person: each reads the record, and writes it whole.
 */
export function cognitoRequests(
  route: Router,
  ctx: Context,
  { people, whose, operations }: { people: People; whose: WhoseToken; operations: Readonly<Record<string, Operation>> },
): Answer {
  const hold = createLocks()
  const own = new Map(Object.entries(operations))

  const answer = async (target: string, body: Fields): Promise<unknown> => {
    if (NOT_OF_THIS_POOL.test(target)) throw new InvalidParameterError(`${target} is not enabled for this user pool`)
    const operation = own.get(target)
    if (operation !== undefined) return operation(body)
    if ('AccessToken' in body) await whose(body)
    if (target === 'DeleteUserAttributes') checkDeletable(body.UserAttributeNames)
    if (target === 'AdminSetUserPassword') checkPassword(body.Password)
    const call = async (): Promise<unknown> => route(target)(ctx, body)
    return target === 'SignUp' ? signUp(body, call) : call()
  }
  return (target, body) =>
    hold(
      namesIn(body).map(name => people.usernameOf(name)),
      () => answer(target, body),
    )
}

/** Whom a request is about, before anything of it is verified. */
function namesIn(body: Fields): string[] {
  const parameters = [body, fieldsOf(body.AuthParameters), fieldsOf(body.ChallengeResponses)]
  const names = parameters.flatMap(fields => [
    fields.Username,
    fields.USERNAME,
    ...[fields.AccessToken, fields.RefreshToken, fields.REFRESH_TOKEN, fields.Token].flatMap(token => {
      const { username, 'cognito:username': refreshed } = claimsOf(String(token ?? ''))
      return [username, refreshed]
    }),
  ])
  return [...new Set(names.filter(name => typeof name === 'string'))]
}

async function signUp(body: Fields, call: () => Promise<unknown>): Promise<unknown> {
  const username = required(body, 'Username')
  if (!isAddress(username)) throw new InvalidParameterError('Username should be an email.')
  checkPassword(body.Password)
  for (const { Name, Value } of writableAttributes(body.UserAttributes)) {
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
