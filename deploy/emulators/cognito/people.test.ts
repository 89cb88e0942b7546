import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { claimsOf } from './fields.ts'
import { type CodeMessage, type Cognito, startCognito } from './start.ts'

const PASSWORD = 'correct horse'
const OTHER_PASSWORD = 'battery staple'
const Tokens = z.object({
  AuthenticationResult: z.object({ AccessToken: z.string(), IdToken: z.string(), RefreshToken: z.string().default('') }),
})

let cognito: Cognito
let people = 0
const codes: CodeMessage[] = []

beforeAll(async () => {
  cognito = await startCognito({ production: false, onPostConfirmation: async () => {}, onCode: message => void codes.push(message) })
}, 60_000)
afterAll(() => cognito.close())

type Answer = { status: number; type: string | null; body: Record<string, unknown> }

async function call(target: string, body: object, { endpoint } = cognito): Promise<Answer> {
  const headers = { 'x-amz-target': `AWSCognitoIdentityProviderService.${target}` }
  const whole = { ClientId: cognito.clientId, UserPoolId: cognito.userPoolId, ...body }
  const response = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(whole) })
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    body: z.record(z.string(), z.unknown()).parse(await response.json()),
  }
}

/** The protocol's name of the error; null when there was none. */
const errorOf = async (target: string, body: object): Promise<string | null> => (await call(target, body)).type

async function signUp(): Promise<string> {
  const Username = `someone-${++people}@example.com`
  expect((await call('SignUp', { Username, Password: PASSWORD })).status).toBe(200)
  return Username
}

const attempt = (USERNAME: string, password = PASSWORD) =>
  call('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME, PASSWORD: password } })
const signIn = async (email: string, password = PASSWORD) => Tokens.parse((await attempt(email, password)).body).AuthenticationResult
const renew = (RefreshToken: string) => call('GetTokensFromRefreshToken', { RefreshToken })

async function codeFor(to: string, purpose: CodeMessage['purpose'], count = 1): Promise<string> {
  const sent = () => codes.filter(message => message.to === to && message.purpose === purpose)
  await vi.waitFor(() => expect(sent()).toHaveLength(count), { timeout: 10_000 })
  return sent().at(-1)?.code ?? ''
}
const another = (code: string): string => (code === '111111' ? '222222' : '111111')

describe('sessions', () => {
  test('tokens name the sign-in that they came of, renewed ones too', async () => {
    const tokens = await signIn(await signUp())
    const { origin_jti: origin, auth_time: since } = claimsOf(tokens.AccessToken)
    expect(origin).toEqual(expect.any(String))
    const renewed = Tokens.parse((await renew(tokens.RefreshToken)).body).AuthenticationResult
    expect(renewed.RefreshToken).toBe('')
    for (const token of [tokens.IdToken, renewed.AccessToken, renewed.IdToken])
      expect(claimsOf(token)).toMatchObject({ origin_jti: origin, auth_time: since })
  })

  test('revoking a refresh token ends its session and no other', async () => {
    const email = await signUp()
    const [one, two] = [await signIn(email), await signIn(email)]
    const renewed = Tokens.parse((await renew(one.RefreshToken)).body).AuthenticationResult
    expect(await errorOf('RevokeToken', { Token: one.AccessToken })).toBe('UnsupportedTokenTypeException')
    for (let again = 0; again < 2; again++) expect((await call('RevokeToken', { Token: one.RefreshToken })).status).toBe(200)
    expect((await renew(one.RefreshToken)).type).toBe('NotAuthorizedException')
    for (const { AccessToken } of [one, renewed]) expect(await errorOf('GetUser', { AccessToken })).toBe('NotAuthorizedException')
    expect((await renew(two.RefreshToken)).status).toBe(200)
    expect((await call('GetUser', { AccessToken: two.AccessToken })).status).toBe(200)
  })

  test('signing out everywhere ends all, and the person may sign in again', async () => {
    const email = await signUp()
    const [one, two] = [await signIn(email), await signIn(email)]
    expect((await call('GlobalSignOut', { AccessToken: one.AccessToken })).status).toBe(200)
    for (const { AccessToken, RefreshToken } of [one, two]) {
      expect((await renew(RefreshToken)).type).toBe('NotAuthorizedException')
      expect(await errorOf('GetUser', { AccessToken })).toBe('NotAuthorizedException')
      expect(await errorOf('GlobalSignOut', { AccessToken })).toBe('NotAuthorizedException')
    }
    expect((await renew((await signIn(email)).RefreshToken)).status).toBe(200)
  })

  test('a disabled person neither signs in nor renews, until enabled again', async () => {
    const email = await signUp()
    const { AccessToken, RefreshToken } = await signIn(email)
    expect((await call('AdminDisableUser', { Username: email })).status).toBe(200)
    expect((await attempt(email)).body).toEqual({ __type: 'NotAuthorizedException', message: 'User is disabled.' })
    expect((await attempt(email, 'wrong horse')).body.message).toBe('Incorrect username or password.')
    expect((await renew(RefreshToken)).type).toBe('NotAuthorizedException')
    expect(await errorOf('GetUser', { AccessToken })).toBe('NotAuthorizedException')
    await call('AdminEnableUser', { Username: email })
    expect((await attempt(email)).status).toBe(200)
  })

  test('of a person who deleted the sign-in nothing is left', async () => {
    const email = await signUp()
    const { AccessToken, RefreshToken } = await signIn(email)
    expect((await call('DeleteUser', { AccessToken })).status).toBe(200)
    expect((await renew(RefreshToken)).type).toBe('NotAuthorizedException')
    expect(await errorOf('GetUser', { AccessToken })).toBe('UserNotFoundException')
    expect((await attempt(email)).type).toBe('NotAuthorizedException')
    expect((await call('SignUp', { Username: email, Password: PASSWORD })).status).toBe(200)
  })
})

describe('passwords', () => {
  test('a change and sign-ins at the same time: what was acknowledged stays', async () => {
    const email = await signUp()
    const { AccessToken } = await signIn(email)
    const change = call('ChangePassword', { AccessToken, PreviousPassword: PASSWORD, ProposedPassword: OTHER_PASSWORD })
    await Promise.all([attempt(email), change, attempt(email)])
    expect((await change).status).toBe(200)
    expect((await attempt(email)).type).toBe('NotAuthorizedException')
    expect((await attempt(email, OTHER_PASSWORD)).status).toBe(200)
  })

  test('after five wrong ones the right one has to wait, for nobody too', async () => {
    for (const email of [await signUp(), 'nobody@example.net']) {
      const answers = [
        await attempt(email, 'wrong'),
        await attempt(email, 'wrong'),
        await attempt(email, 'wrong'),
        await attempt(email, 'wrong'),
      ]
      expect(new Set(answers.map(({ body }) => body.message))).toEqual(new Set(['Incorrect username or password.']))
      const more = await Promise.all(Array.from({ length: 4 }, () => attempt(email, 'wrong')))
      expect(more.map(({ body }) => body.message)).toContain('Password attempts exceeded')
      expect(more.map(({ type }) => type)).toEqual(Array.from(more, () => 'NotAuthorizedException'))
    }
  })

  test('a forgotten one: the code is good once, and five guesses end it', async () => {
    const email = await signUp()
    const confirm = (ConfirmationCode: string, Password = OTHER_PASSWORD) =>
      errorOf('ConfirmForgotPassword', { Username: email, ConfirmationCode, Password })
    expect(await confirm('123456')).toBe('ExpiredCodeException')
    expect((await call('ForgotPassword', { Username: email.toUpperCase() })).body).toEqual({
      CodeDeliveryDetails: { AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 's***@e***' },
    })
    const code = await codeFor(email, 'password')
    expect(await confirm(code, 'short')).toBe('InvalidPasswordException')
    for (let guess = 0; guess < 5; guess++) expect(await confirm(another(code))).toBe('CodeMismatchException')
    expect(await confirm(code)).toBe('LimitExceededException')
    await call('ForgotPassword', { Username: email })
    const next = await codeFor(email, 'password', 2)
    expect(await confirm(next)).toBeNull()
    expect(await confirm(next)).toBe('ExpiredCodeException')
    expect((await attempt(email, OTHER_PASSWORD)).status).toBe(200)
  })

  test('whether somebody exists cannot be learnt from codes', async () => {
    const answers = async (Username: string) => {
      const confirm = () => errorOf('ConfirmForgotPassword', { Username, ConfirmationCode: 'no code', Password: PASSWORD })
      const before = await confirm()
      const { body } = await call('ForgotPassword', { Username })
      const guesses = [await confirm(), await confirm(), await confirm(), await confirm(), await confirm(), await confirm()]
      const more = await Promise.all(Array.from({ length: 5 }, () => errorOf('ForgotPassword', { Username })))
      return { before, body, guesses, more }
    }
    const known = await answers(await signUp())
    expect(known.guesses.at(-1)).toBe('LimitExceededException')
    expect(known.more).toEqual([null, null, null, null, 'LimitExceededException'])
    expect(await answers('stranger@example.com')).toEqual(known)
  })

  test('of one who was given a first password is set at the first sign-in, by nobody else', async () => {
    const Username = `someone-${++people}@example.com`
    const made = await call('AdminCreateUser', {
      Username,
      MessageAction: 'SUPPRESS',
      TemporaryPassword: PASSWORD,
      UserAttributes: [{ Name: 'email', Value: Username }],
    })
    expect(made.status).toBe(200)
    expect((await attempt(Username, 'wrong horse')).type).toBe('NotAuthorizedException')
    const { ChallengeName, Session } = (await attempt(Username)).body
    expect(ChallengeName).toBe('NEW_PASSWORD_REQUIRED')
    const answer = (session: unknown, USERNAME = Username) =>
      call('RespondToAuthChallenge', { ChallengeName, Session: session, ChallengeResponses: { USERNAME, NEW_PASSWORD: OTHER_PASSWORD } })
    expect((await answer('a-session-that-nobody-opened')).type).toBe('NotAuthorizedException')
    expect((await answer(Session)).status).toBe(200)
    expect((await answer(Session)).type).toBe('NotAuthorizedException')
    expect((await attempt(Username, OTHER_PASSWORD)).status).toBe(200)
  })
})

test('what was answered is so after a restart: sign-outs, codes, and guesses at them', { timeout: 60_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  const sent: string[] = []
  const start = () =>
    startCognito({ production: false, dataDir, onPostConfirmation: async () => {}, onCode: ({ code }) => void sent.push(code) })
  const Username = 'kept@example.com'
  const first = await start()
  await call('SignUp', { Username, Password: PASSWORD }, first)
  const signedIn = await call('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: Username, PASSWORD } }, first)
  const { RefreshToken, AccessToken } = Tokens.parse(signedIn.body).AuthenticationResult
  expect((await call('GlobalSignOut', { AccessToken }, first)).status).toBe(200)
  await call('ForgotPassword', { Username }, first)
  const code = await vi.waitFor(() => z.string().parse(sent[0]), { timeout: 10_000 })
  const confirm = async (ConfirmationCode: string, on: Cognito) =>
    (await call('ConfirmForgotPassword', { Username, ConfirmationCode, Password: OTHER_PASSWORD }, on)).type
  for (let guess = 0; guess < 4; guess++) expect(await confirm(another(code), first)).toBe('CodeMismatchException')
  await first.close()

  const second = await start()
  expect((await call('GetTokensFromRefreshToken', { RefreshToken }, second)).type).toBe('NotAuthorizedException')
  expect((await call('GetUser', { AccessToken }, second)).type).toBe('NotAuthorizedException')
  expect(await confirm(another(code), second)).toBe('CodeMismatchException')
  expect(await confirm(code, second)).toBe('LimitExceededException')
  await second.close()
  await rm(dataDir, { recursive: true })
})

describe('addresses', () => {
  test('a new one is unverified until its code is given, and tokens say so', async () => {
    const email = await signUp()
    const { AccessToken, RefreshToken } = await signIn(email)
    await call('ForgotPassword', { Username: email })
    const former = await codeFor(email, 'password')
    const moved = `moved-${email}`
    const update = await call('UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'email', Value: moved }] })
    expect(update.body).toMatchObject({ CodeDeliveryDetailsList: [{ Destination: 'm***@e***' }] })
    const claims = async () => claimsOf(Tokens.parse((await renew(RefreshToken)).body).AuthenticationResult.IdToken)
    expect(await claims()).toMatchObject({ email: moved, email_verified: false })
    // Neither a code to the former address nor one to an unproven one changes the password.
    const reset = { Username: moved, ConfirmationCode: former, Password: OTHER_PASSWORD }
    expect(await errorOf('ConfirmForgotPassword', reset)).not.toBeNull()
    const verify = (Code: string) => errorOf('VerifyUserAttribute', { AccessToken, AttributeName: 'email', Code })
    const code = await codeFor(moved, 'email')
    expect(await verify(another(code))).toBe('CodeMismatchException')
    expect(await verify(code)).toBeNull()
    expect(await verify(code)).toBe('ExpiredCodeException')
    expect(await claims()).toMatchObject({ email: moved, email_verified: true })
    expect(await errorOf('ConfirmForgotPassword', reset)).toBe('ExpiredCodeException')
  })

  test('nobody verifies their own, or takes what is no address', async () => {
    const { AccessToken } = await signIn(await signUp())
    const update = (Name: string, Value: string) => errorOf('UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name, Value }] })
    expect(await update('email_verified', 'true')).toBe('NotAuthorizedException')
    expect(await update('sub', 'somebody')).toBe('NotAuthorizedException')
    expect(await update('email', 'no address')).toBe('InvalidParameterException')
    expect(await update('nickname', 'Ann')).toBeNull()
    const remove = (name: string) => errorOf('DeleteUserAttributes', { AccessToken, UserAttributeNames: [name] })
    expect(await remove('sub')).toBe('NotAuthorizedException')
    expect(await remove('email_verified')).toBe('NotAuthorizedException')
    expect(await remove('email')).toBe('InvalidParameterException')
    expect(await remove('nickname')).toBeNull()
  })

  test('nobody waits for a code to sign up with', async () => {
    const Username = await signUp()
    expect(await errorOf('ResendConfirmationCode', { Username })).toBe('InvalidParameterException')
    expect(await errorOf('ConfirmSignUp', { Username, ConfirmationCode: '123456' })).toBe('NotAuthorizedException')
    expect(await errorOf('ResendConfirmationCode', { Username: 'nobody@example.org' })).toBeNull()
    expect(await errorOf('ConfirmSignUp', { Username: 'nobody@example.org', ConfirmationCode: '123456' })).toBe('ExpiredCodeException')
  })
})
