import { CognitoError } from 'cognito-local/lib/errors.js'
import type { Clock } from 'cognito-local/lib/services/clock.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { DataStore } from 'cognito-local/lib/services/dataStore/dataStore.js'
import { attributeValue, type User, type UserPool, UserPoolServiceImpl } from 'cognito-local/lib/services/userPoolService.js'
import { claimsOf } from './fields.ts'

/** Each sign-in adds one: without a bound a user's record grows for ever. */
const MAX_REFRESH_TOKENS = 20

/** A code that was sent, with the address that it was sent to. `until` is epoch ms. */
export type SentCode = { readonly code: string; readonly to: string; readonly until: number; readonly misses: number }
/** A user with what cognito-local keeps nothing of. Its own codes have no end, and anybody may guess at them. */
export type Person = User & { readonly PasswordCode?: SentCode | undefined; readonly EmailCode?: SentCode | undefined }

/**
 * A user pool whose people sign in with their e-mail address, in any case, each address once.
 * cognito-local compares case, reads all users to find one, and accepts refresh tokens after they expired.
 */
export class EmailPool extends UserPoolServiceImpl {
  readonly #store: DataStore
  readonly #clock: Clock
  readonly #usernames = new Map<string, string>()

  constructor(clients: DataStore, clock: Clock, store: DataStore, options: UserPool, users: Record<string, User>) {
    super(clients, clock, store, options)
    this.#store = store
    this.#clock = clock
    for (const user of Object.values(users)) this.#usernames.set(emailOf(user), user.Username)
  }

  override async getUserByUsername(ctx: Context, username: string): Promise<Person | null> {
    return this.#store.get<Person>(ctx, ['Users', this.#usernames.get(fold(username)) ?? username])
  }

  /** The name of the user's record: of an address, in any case, and of the name itself. Of nobody, the folded address. */
  usernameOf(name: string): string {
    return this.#usernames.get(fold(name)) ?? fold(name)
  }

  /** @returns whose the address is: the user's own already, or nobody's. Throws `AliasExistsException` when another user has it. */
  checkFree(email: string, user: User): string | undefined {
    const owner = this.#usernames.get(fold(email))
    if (owner === undefined || owner === user.Username) return owner
    throw new CognitoError('AliasExistsException', 'An account with the given email already exists.')
  }

  /** Throws `AliasExistsException` when another user has the address, two sign-ups at once included. What could not be saved takes no address. */
  override async saveUser(ctx: Context, user: Person): Promise<void> {
    const email = emailOf(user)
    const owner = this.checkFree(email, user)
    this.#usernames.set(email, user.Username)
    try {
      const former = await this.#store.get<User>(ctx, ['Users', user.Username])
      await super.saveUser(ctx, user)
      if (former !== null && emailOf(former) !== email) this.#usernames.delete(emailOf(former))
    } catch (error) {
      if (owner === undefined) this.#usernames.delete(email)
      throw error
    }
  }

  override async deleteUser(ctx: Context, user: User): Promise<void> {
    await super.deleteUser(ctx, user)
    this.#usernames.delete(emailOf(user))
  }

  override async storeRefreshToken(ctx: Context, token: string, user: User): Promise<void> {
    const standing = user.RefreshTokens.filter(each => !this.#isOver(each))
    await this.saveUser(ctx, { ...user, RefreshTokens: [...standing, token].slice(-MAX_REFRESH_TOKENS) })
  }

  override async getUserByRefreshToken(ctx: Context, token: string): Promise<Person | null> {
    const username = claimsOf(token)['cognito:username']
    if (typeof username !== 'string' || this.#isOver(token)) return null
    const user = await this.getUserByUsername(ctx, username)
    return user?.RefreshTokens.includes(token) ? user : null
  }

  /** A refresh token is known by being stored, not by its signature. */
  #isOver(token: string): boolean {
    return Number(claimsOf(token).exp ?? 0) * 1000 <= this.#clock.get().getTime()
  }
}

export function fold(email: string): string {
  return email.toLowerCase()
}

/** The address under which a user signs in. */
function emailOf(user: User): string {
  return fold(attributeValue('email', user.Attributes) ?? user.Username)
}
