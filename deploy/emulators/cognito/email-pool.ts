import { CognitoError } from 'cognito-local/lib/errors.js'
import type { Clock } from 'cognito-local/lib/services/clock.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { DataStore } from 'cognito-local/lib/services/dataStore/dataStore.js'
import { attributeValue, type User, type UserPool, UserPoolServiceImpl } from 'cognito-local/lib/services/userPoolService.js'

/** Each sign-in adds one: without a bound a user's record grows for ever. */
const MAX_REFRESH_TOKENS = 20

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

  override async getUserByUsername(ctx: Context, username: string): Promise<User | null> {
    return this.#store.get<User>(ctx, ['Users', this.#usernames.get(fold(username)) ?? username])
  }

  /** Throws `AliasExistsException` when another user has the address, two sign-ups at once included. What could not be saved takes no address. */
  override async saveUser(ctx: Context, user: User): Promise<void> {
    const email = emailOf(user)
    const owner = this.#usernames.get(email)
    if (owner !== undefined && owner !== user.Username) {
      throw new CognitoError('AliasExistsException', 'An account with the given email already exists.')
    }
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

  override async getUserByRefreshToken(ctx: Context, token: string): Promise<User | null> {
    const username = claims(token)['cognito:username']
    if (typeof username !== 'string' || this.#isOver(token)) return null
    const user = await this.getUserByUsername(ctx, username)
    return user?.RefreshTokens.includes(token) ? user : null
  }

  #isOver(token: string): boolean {
    return Number(claims(token).exp ?? 0) * 1000 <= this.#clock.get().getTime()
  }
}

function fold(email: string): string {
  return email.toLowerCase()
}

function emailOf(user: User): string {
  return fold(attributeValue('email', user.Attributes) ?? user.Username)
}

/** Unverified: a refresh token is known by being stored, not by its signature. */
function claims(token: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return {}
  }
}
