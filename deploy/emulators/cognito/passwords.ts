import { NotAuthorizedError } from 'cognito-local/lib/errors.js'
import type { AppClient } from 'cognito-local/lib/services/appClient.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { Triggers } from 'cognito-local/lib/services/triggers/index.js'
import { attribute, attributesAppend, attributesToRecord } from 'cognito-local/lib/services/userPoolService.js'
import type { LockOut } from './attempts.ts'
import { type Codes, deliveryTo, limitExceeded } from './codes.ts'
import type { Person } from './email-pool.ts'
import { checkPassword, type Fields, isFields, required } from './fields.ts'
import type { Operation, People } from './people.ts'
import type { WhoseToken } from './sessions.ts'

type Parts = {
  readonly people: People
  readonly whose: WhoseToken
  readonly codes: Codes
  readonly wrongPasswords: LockOut
  readonly triggers: Triggers
  readonly ctx: Context
  now(): number
}

/** Changing a password, and setting one anew that was forgotten. Neither ends a session, as on Cognito: that is what `GlobalSignOut` is for. */
export function passwordOperations({ people, whose, codes, wrongPasswords, triggers, ctx, now }: Parts) {
  const confirmed = (body: Fields, { ClientId, UserPoolId }: AppClient, person: Person): Promise<void> =>
    triggers.postConfirmation(ctx, {
      clientId: ClientId,
      ...(isFields(body.ClientMetadata) && { clientMetadata: textsOf(body.ClientMetadata) }),
      source: 'PostConfirmation_ConfirmForgotPassword',
      username: person.Username,
      userPoolId: UserPoolId,
      userAttributes: attributesAppend(person.Attributes, attribute('cognito:user_status', person.UserStatus)),
    })
  return {
    async ChangePassword(body) {
      const person = await whose(body)
      const previous = required(body, 'PreviousPassword')
      const Password = checkPassword(body.ProposedPassword)
      if (wrongPasswords.isLocked(person.Username)) throw limitExceeded()
      if (person.Password !== previous) {
        wrongPasswords.count(person.Username)
        throw new NotAuthorizedError('Incorrect username or password.')
      }
      await people.save({ ...person, Password, UserLastModifiedDate: new Date(now()) })
      return {}
    },

    /** Answers alike whether the person exists or not. */
    async ForgotPassword(body) {
      await people.clientOf(body)
      const username = required(body, 'Username')
      codes.countCode(people.usernameOf(username))
      const person = await people.find(username)
      const { email = username } = attributesToRecord(person?.Attributes)
      return {
        CodeDeliveryDetails: person !== null && mayReset(person) ? await codes.send(person, 'PasswordCode', email) : deliveryTo(email),
      }
    },

    async ConfirmForgotPassword(body) {
      const client = await people.clientOf(body)
      const username = required(body, 'Username')
      const code = required(body, 'ConfirmationCode')
      const Password = checkPassword(body.Password)
      const person = await people.find(username)
      if (person === null || !mayReset(person)) return codes.refuseStranger(people.usernameOf(username))
      await codes.check(person, 'PasswordCode', code)
      const changed: Person = {
        ...person,
        Password,
        PasswordCode: undefined,
        UserStatus: 'CONFIRMED',
        UserLastModifiedDate: new Date(now()),
      }
      await people.save(changed)
      wrongPasswords.forget(person.Username)
      await confirmed(body, client, changed)
      return {}
    },
  } satisfies Record<string, Operation>
}

/** A code proves nothing unless the address is the person's. */
function mayReset({ Enabled, UserStatus, Attributes }: Person): boolean {
  return Enabled && UserStatus !== 'FORCE_CHANGE_PASSWORD' && attributesToRecord(Attributes).email_verified === 'true'
}

function textsOf(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
}
