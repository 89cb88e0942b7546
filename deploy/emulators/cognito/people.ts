import { NotAuthorizedError, ResourceNotFoundError, UserNotFoundError } from 'cognito-local/lib/errors.js'
import type { AppClient } from 'cognito-local/lib/services/appClient.js'
import type { CognitoService } from 'cognito-local/lib/services/cognitoService.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { EmailPool, Person } from './email-pool.ts'
import { type Fields, required } from './fields.ts'

/** Answers one call of the protocol. */
export type Operation = (body: Fields) => Promise<unknown>

export type People = {
  /** The name of the user's record: what an address stands for, in any case; of nobody, the address. */
  usernameOf(name: string): string
  find(name: string): Promise<Person | null>
  /** For administrators, from whom it is not hidden who exists. */
  get(name: string): Promise<Person>
  save(person: Person): Promise<void>
  /** Throws when the address is another's. */
  checkFree(email: string, person: Person): void
  /** Saves it with the person, and ends their oldest sign-in when they have too many. */
  addRefreshToken(person: Person, token: string): Promise<void>
  findByRefreshToken(token: string): Promise<Person | null>
  groupsOf(person: Person): Promise<readonly string[]>
  /** The client that a request names. */
  clientOf(body: Fields): Promise<AppClient>
}

/** The pool's people, as its operations need them. Whoever changes one holds their lock (requests.ts). */
export function poolPeople(pool: EmailPool, cognito: CognitoService, ctx: Context): People {
  const find = (name: string): Promise<Person | null> => pool.getUserByUsername(ctx, name)
  return {
    usernameOf: name => pool.usernameOf(name),
    find,
    async get(name) {
      const person = await find(name)
      if (person === null) throw new UserNotFoundError('User does not exist.')
      return person
    },
    checkFree: (email, person) => void pool.checkFree(email, person),
    addRefreshToken: (person, token) => pool.storeRefreshToken(ctx, token, person),
    save: person => pool.saveUser(ctx, person),
    findByRefreshToken: token => pool.getUserByRefreshToken(ctx, token),
    groupsOf: person => pool.listUserGroupMembership(ctx, person),
    async clientOf(body) {
      const id = required(body, 'ClientId')
      const client = await cognito.getAppClient(ctx, id)
      if (client?.UserPoolId !== pool.options.Id) throw new ResourceNotFoundError(`User pool client ${id} does not exist.`)
      return client
    },
  }
}

export function checkEnabled(person: Person): void {
  if (!person.Enabled) throw new NotAuthorizedError('User is disabled.')
}
