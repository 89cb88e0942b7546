import { randomUUID } from 'node:crypto'
import { InvalidParameterError, NotAuthorizedError, PasswordResetRequiredError } from 'cognito-local/lib/errors.js'
import type { AppClient } from 'cognito-local/lib/services/appClient.js'
import { attributesToRecord } from 'cognito-local/lib/services/userPoolService.js'
import { LRUCache } from 'lru-cache'
import type { LockOut } from './attempts.ts'
import { openChallenges } from './challenges.ts'
import type { Person } from './email-pool.ts'
import { checkPassword, type Fields, fieldsOf, required } from './fields.ts'
import { checkEnabled, type Operation, type People } from './people.ts'
import type { Sessions } from './sessions.ts'
import { beginExchange, isProven, type SrpExchange } from './srp.ts'

/** One message for a wrong password and an unknown address: whether an account exists is nobody's business. */
const WRONG = 'Incorrect username or password.'
const MAX_STRANGERS = 10_000

type PasswordProof = { readonly userId: string; readonly name: string; readonly password: string; readonly exchange: SrpExchange }

/**
 * Signing in with a password: sent (`USER_PASSWORD_AUTH`), or proven without being sent (`USER_SRP_AUTH`, what clients do by default).
 * @param poolId names the pool in the proof
 */
export function signInOperations(people: People, sessions: Sessions, wrongPasswords: LockOut, poolId: string, now: () => number) {
  const poolName = poolId.slice(poolId.indexOf('_') + 1)
  const proofs = openChallenges<PasswordProof>(now)
  const newPasswords = openChallenges<string>(now)
  const strangers = new LRUCache<string, string>({ max: MAX_STRANGERS })

  const refuseWrong = (name: string): never => {
    wrongPasswords.count(name)
    throw new NotAuthorizedError(WRONG)
  }
  const checkAttempts = (name: string): void => {
    if (wrongPasswords.isLocked(name)) throw new NotAuthorizedError('Password attempts exceeded')
  }

  /** The password was right. */
  const proceed = async (person: Person, client: AppClient): Promise<unknown> => {
    wrongPasswords.forget(person.Username)
    checkEnabled(person)
    if (person.UserStatus === 'RESET_REQUIRED') throw new PasswordResetRequiredError()
    if (person.UserStatus !== 'FORCE_CHANGE_PASSWORD') return sessions.begin(person, client)
    const { sub: _sub, ...attributes } = attributesToRecord(person.Attributes)
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: newPasswords.open(person.Username, person.Username),
      ChallengeParameters: { USER_ID_FOR_SRP: person.Username, requiredAttributes: '[]', userAttributes: JSON.stringify(attributes) },
    }
  }

  const withPassword = async (parameters: Fields, client: AppClient): Promise<unknown> => {
    const name = people.usernameOf(required(parameters, 'USERNAME'))
    const password = required(parameters, 'PASSWORD')
    checkAttempts(name)
    const person = await people.find(name)
    return person === null || person.Password !== password ? refuseWrong(name) : proceed(person, client)
  }

  /** Nobody of that name gets a challenge too, with an id that stays the same. */
  const challenge = async (parameters: Fields): Promise<unknown> => {
    const username = required(parameters, 'USERNAME')
    const publicA = required(parameters, 'SRP_A')
    const name = people.usernameOf(username)
    checkAttempts(name)
    const person = await people.find(name)
    const userId = person?.Username ?? strangers.get(name) ?? randomUUID()
    if (person === null) strangers.set(name, userId)
    const password = person?.Password ?? randomUUID()
    const exchange = beginExchange(poolName, userId, password, publicA)
    if (exchange === undefined) throw new NotAuthorizedError(WRONG)
    return {
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeParameters: {
        SALT: exchange.salt,
        SRP_B: exchange.publicB.toString(16),
        SECRET_BLOCK: proofs.open(name, { userId, name, password, exchange }),
        USERNAME: userId,
        USER_ID_FOR_SRP: userId,
      },
    }
  }

  const verifyProof = async (responses: Fields, client: AppClient): Promise<unknown> => {
    const username = required(responses, 'USERNAME')
    const secretBlock = required(responses, 'PASSWORD_CLAIM_SECRET_BLOCK')
    const timestamp = required(responses, 'TIMESTAMP')
    const signature = required(responses, 'PASSWORD_CLAIM_SIGNATURE')
    const open = proofs.take(secretBlock)
    if (open === undefined) throw new NotAuthorizedError(WRONG)
    checkAttempts(open.name)
    const { userId, name, password, exchange } = open
    const person = await people.find(userId)
    const right =
      people.usernameOf(username) === name || username === userId
        ? isProven(exchange, poolName, { userId, secretBlock, timestamp, signature })
        : false
    // It may have been changed while the client answered.
    return right && person?.Password === password ? proceed(person, client) : refuseWrong(name)
  }

  const takeNewPassword = async (body: Fields, responses: Fields, client: AppClient): Promise<unknown> => {
    const Password = checkPassword(responses.NEW_PASSWORD)
    const username = newPasswords.take(required(body, 'Session'))
    if (username === undefined || username !== people.usernameOf(required(responses, 'USERNAME')))
      throw new NotAuthorizedError('Invalid session for the user.')
    const person = await people.get(username)
    checkEnabled(person)
    const changed: Person = { ...person, Password, UserStatus: 'CONFIRMED', UserLastModifiedDate: new Date(now()) }
    await people.save(changed)
    return sessions.begin(changed, client)
  }

  return {
    async InitiateAuth(body) {
      const flow = required(body, 'AuthFlow')
      const parameters = fieldsOf(body.AuthParameters)
      const client = await people.clientOf(body)
      if (flow === 'USER_SRP_AUTH') return challenge(parameters)
      if (flow === 'USER_PASSWORD_AUTH') return withPassword(parameters, client)
      if (flow === 'REFRESH_TOKEN_AUTH' || flow === 'REFRESH_TOKEN') return sessions.renew(required(parameters, 'REFRESH_TOKEN'), client)
      throw new InvalidParameterError(`${flow} flow not enabled for this client`)
    },
    async RespondToAuthChallenge(body) {
      const name = required(body, 'ChallengeName')
      const responses = fieldsOf(body.ChallengeResponses)
      const client = await people.clientOf(body)
      if (name === 'PASSWORD_VERIFIER') return verifyProof(responses, client)
      if (name === 'NEW_PASSWORD_REQUIRED') return takeNewPassword(body, responses, client)
      throw new InvalidParameterError(`this pool has no challenge ${name}`)
    },
  } satisfies Record<string, Operation>
}
