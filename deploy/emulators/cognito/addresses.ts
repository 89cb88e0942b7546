import { CognitoError, InvalidParameterError, NotAuthorizedError } from 'cognito-local/lib/errors.js'
import { USER_POOL_AWS_DEFAULTS } from 'cognito-local/lib/services/cognitoService.js'
import {
  attribute,
  attributesAppend,
  attributesToRecord,
  validatePermittedAttributeChanges,
} from 'cognito-local/lib/services/userPoolService.js'
import { type Codes, deliveryTo } from './codes.ts'
import { fold, type Person } from './email-pool.ts'
import { attributesOf, required } from './fields.ts'
import type { Operation, People } from './people.ts'
import type { WhoseToken } from './sessions.ts'

/** A client may not set these itself; `sub` above all: it is the user id. */
const READ_ONLY = /^(sub|email_verified|phone_number_verified|cognito:.*)$/

export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text)
}

/** What a client wants a user to be like, at sign-up or later. */
export function writableAttributes(value: unknown): { Name: string; Value: string }[] {
  const attributes = attributesOf(value)
  if (attributes.some(({ Name }) => READ_ONLY.test(Name)))
    throw new NotAuthorizedError('A client attempted to write unauthorized attribute')
  return attributes
}

/** Nobody takes away what they may not write, nor the address that they sign in with. */
export function checkDeletable(names: unknown): void {
  for (const name of Array.isArray(names) ? names.map(String) : []) {
    if (READ_ONLY.test(name)) throw new NotAuthorizedError('A client attempted to write unauthorized attribute')
    if (name === 'email') throw new InvalidParameterError('The email attribute is what people sign in with.')
  }
}

/** Changing what a user is like, and proving an e-mail address. A new one is taken at once and is unverified until its code is given, Cognito's default. */
export function addressOperations(people: People, whose: WhoseToken, codes: Codes, now: () => number) {
  const emailOf = (person: Person): string => attributesToRecord(person.Attributes).email ?? ''
  const checkEmail = (name: string): void => {
    if (name !== 'email') throw new InvalidParameterError(`${name} is no attribute that can be verified here`)
  }
  return {
    async UpdateUserAttributes(body) {
      const person = await whose(body)
      const wanted = writableAttributes(body.UserAttributes)
      validatePermittedAttributeChanges(wanted, USER_POOL_AWS_DEFAULTS.SchemaAttributes ?? [])
      const email = wanted.findLast(({ Name }) => Name === 'email')?.Value
      if (email !== undefined && !isAddress(email)) throw new InvalidParameterError('Invalid email address format.')
      const changed: Person = {
        ...person,
        Attributes: attributesAppend(person.Attributes, ...wanted),
        UserLastModifiedDate: new Date(now()),
      }
      if (email === undefined || fold(email) === fold(emailOf(person))) {
        await people.save(changed)
        return { CodeDeliveryDetailsList: [] }
      }
      people.checkFree(email, person)
      codes.countCode(person.Username)
      const moved: Person = {
        ...changed,
        Attributes: attributesAppend(changed.Attributes, attribute('email_verified', 'false')),
        // It went to the former address, whose owner may be somebody else by now.
        PasswordCode: undefined,
      }
      return { CodeDeliveryDetailsList: [await codes.send(moved, 'EmailCode', email)] }
    },

    async GetUserAttributeVerificationCode(body) {
      const person = await whose(body)
      checkEmail(required(body, 'AttributeName'))
      codes.countCode(person.Username)
      return { CodeDeliveryDetails: await codes.send(person, 'EmailCode', emailOf(person)) }
    },

    async VerifyUserAttribute(body) {
      const person = await whose(body)
      checkEmail(required(body, 'AttributeName'))
      await codes.check(person, 'EmailCode', required(body, 'Code'))
      await people.save({
        ...person,
        Attributes: attributesAppend(person.Attributes, attribute('email_verified', 'true')),
        EmailCode: undefined,
        UserLastModifiedDate: new Date(now()),
      })
      return {}
    },

    /** Nobody waits for a code to sign up with: people are confirmed as they do. */
    async ConfirmSignUp(body) {
      await people.clientOf(body)
      const person = await people.find(required(body, 'Username'))
      required(body, 'ConfirmationCode')
      if (!person?.Enabled) throw new CognitoError('ExpiredCodeException', 'Invalid code provided, please request a code again.')
      throw new NotAuthorizedError(`User cannot be confirmed. Current status is ${person.UserStatus}`)
    },

    async ResendConfirmationCode(body) {
      await people.clientOf(body)
      const username = required(body, 'Username')
      const person = await people.find(username)
      codes.countCode(people.usernameOf(username))
      if (!person?.Enabled) return { CodeDeliveryDetails: deliveryTo(username) }
      throw new InvalidParameterError('User is already confirmed.')
    },
  } satisfies Record<string, Operation>
}
