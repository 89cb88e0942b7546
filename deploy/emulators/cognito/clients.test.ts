import {
  signIn as amplifySignIn,
  confirmResetPassword,
  fetchAuthSession,
  resetPassword,
  signOut,
  signUp,
  updatePassword,
} from '@aws-amplify/auth'
import { cognitoUserPoolsTokenProvider } from '@aws-amplify/auth/cognito'
import { Amplify, sharedInMemoryStorage } from '@aws-amplify/core'
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserAttribute,
  CognitoUserPool,
  type CognitoUserSession,
  type ISignUpResult,
} from 'amazon-cognito-identity-js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type RunningMesh, startMesh } from '../../embedded/mesh.ts'

/* The two libraries that apps sign in with, as they come, against the stand-in of a mesh; and what the mesh says to their tokens. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const PASSWORD = 'correct horse battery'
const OTHER_PASSWORD = 'staple of the battery'

let mesh: RunningMesh
let auth: { endpoint: string; clientId: string; userPoolId: string }
const printed: string[] = []

beforeAll(async () => {
  mesh = await startMesh({ port: 0, settings: { LOG_LEVEL: 'warn' }, logTo: { write: line => void printed.push(line) } })
  const { COGNITO_ENDPOINT: endpoint = '', COGNITO_CLIENT_ID: clientId = '', COGNITO_USER_POOL_ID: userPoolId = '' } = mesh.engines
  auth = { endpoint, clientId, userPoolId }
})

afterAll(() => mesh?.stop())

/** What a person reads in the terminal. */
const printedCode = (email: string): Promise<string> =>
  vi.waitFor(
    () => {
      const [, code] = new RegExp(`${email} gets the code (\\d{6}) to set a new password`).exec(printed.join('')) ?? []
      if (code === undefined) throw new Error(`no code for ${email} was printed`)
      return code
    },
    { timeout: 10_000 },
  )

/** What the API says to a token: whose profile it gets. */
async function askApi(token: string): Promise<{ status: number; userId: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const begun = await fetch(`${mesh.url}/v1/users/me`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ firstName: 'Ida', lastName: 'Lee' }),
  })
  await begun.body?.cancel()
  const response = await fetch(`${mesh.url}/v1/users/me`, { headers })
  return { status: response.status, userId: z.object({ id: z.string() }).parse(await response.json()).id }
}

type Done<T> = (error: Error | null | undefined, value?: T) => void
const promised = <T>(begin: (done: Done<T>) => void): Promise<T | undefined> =>
  new Promise((resolve, reject) => begin((error, value) => (error ? reject(error) : resolve(value))))

describe('amazon-cognito-identity-js', () => {
  const pool = (): CognitoUserPool => new CognitoUserPool({ UserPoolId: auth.userPoolId, ClientId: auth.clientId, endpoint: auth.endpoint })
  const userOf = (email: string): CognitoUser => new CognitoUser({ Username: email, Pool: pool() })
  const join = async (email: string): Promise<string | undefined> => {
    const attributes = [new CognitoUserAttribute({ Name: 'email', Value: email })]
    return (await promised<ISignUpResult>(done => pool().signUp(email, PASSWORD, attributes, [], done)))?.userSub
  }
  /** Its types have the callback without the error that it is called with. */
  const revoke = (user: CognitoUser): Promise<void> =>
    new Promise((resolve, reject) => user.signOut((...[error]: readonly unknown[]) => (error ? reject(error) : resolve())))
  const signIn = (user: CognitoUser, Password: string): Promise<CognitoUserSession> =>
    new Promise((onSuccess, onFailure) =>
      user.authenticateUser(new AuthenticationDetails({ Username: user.getUsername(), Password }), { onSuccess, onFailure }),
    )

  test('signs up and in by SRP, and renews', async () => {
    const email = 'ida@example.org'
    const userId = await join(email)
    await expect(signIn(userOf(email), OTHER_PASSWORD)).rejects.toMatchObject({
      code: 'NotAuthorizedException',
      message: 'Incorrect username or password.',
    })
    await expect(signIn(userOf('nobody@example.org'), PASSWORD)).rejects.toMatchObject({
      code: 'NotAuthorizedException',
      message: 'Incorrect username or password.',
    })
    const user = userOf(email)
    const session = await signIn(user, PASSWORD)
    expect(await askApi(session.getAccessToken().getJwtToken())).toEqual({ status: 200, userId })
    const renewed = await promised<CognitoUserSession>(done => user.refreshSession(session.getRefreshToken(), done))
    const token = renewed?.getIdToken().getJwtToken() ?? ''
    expect(token).not.toBe(session.getIdToken().getJwtToken())
    expect(await askApi(token)).toEqual({ status: 200, userId })
  })

  test('changes a password, and sets a forgotten one anew with the code that is printed', async () => {
    const email = 'ilse@example.org'
    await join(email)
    const user = userOf(email)
    await signIn(user, PASSWORD)
    await expect(promised(done => user.changePassword('wrong horse', OTHER_PASSWORD, done))).rejects.toMatchObject({
      code: 'NotAuthorizedException',
    })
    await promised(done => user.changePassword(PASSWORD, OTHER_PASSWORD, done))
    await expect(signIn(userOf(email), PASSWORD)).rejects.toMatchObject({ code: 'NotAuthorizedException' })
    await signIn(userOf(email), OTHER_PASSWORD)

    const forgetful = userOf(email)
    await new Promise((onSuccess, onFailure) => forgetful.forgotPassword({ onSuccess, onFailure }))
    const code = await printedCode(email)
    const confirm = (given: string): Promise<string> =>
      new Promise((onSuccess, onFailure) => forgetful.confirmPassword(given, PASSWORD, { onSuccess, onFailure }))
    await expect(confirm(code === '000000' ? '000001' : '000000')).rejects.toMatchObject({ code: 'CodeMismatchException' })
    await confirm(code)
    await expect(confirm(code)).rejects.toMatchObject({ code: 'ExpiredCodeException' })
    await signIn(userOf(email), PASSWORD)
  })

  test('signs out of one session, and of all', async () => {
    const email = 'iris@example.org'
    const userId = await join(email)
    const [one, two, three] = [userOf(email), userOf(email), userOf(email)]
    const first = await signIn(one, PASSWORD)
    const second = await signIn(two, PASSWORD)
    const third = await signIn(three, PASSWORD)
    const renew = (session: CognitoUserSession) => promised(done => userOf(email).refreshSession(session.getRefreshToken(), done))
    await revoke(one)
    await expect(renew(first)).rejects.toMatchObject({ code: 'NotAuthorizedException' })
    await renew(second)
    await new Promise((onSuccess, onFailure) => two.globalSignOut({ onSuccess, onFailure }))
    await expect(renew(second)).rejects.toMatchObject({ code: 'NotAuthorizedException' })
    await expect(renew(third)).rejects.toMatchObject({ code: 'NotAuthorizedException' })
    await expect(promised(done => three.getUserAttributes(done))).rejects.toMatchObject({ code: 'NotAuthorizedException' })
    // The API verifies signatures: it takes the token until it expires.
    expect(await askApi(third.getAccessToken().getJwtToken())).toEqual({ status: 200, userId })
  })
})

describe('Amplify', () => {
  beforeAll(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const Cognito = { userPoolId: auth.userPoolId, userPoolClientId: auth.clientId, userPoolEndpoint: auth.endpoint }
    cognitoUserPoolsTokenProvider.setAuthConfig({ Cognito })
    cognitoUserPoolsTokenProvider.setKeyValueStorage(sharedInMemoryStorage)
    // What `aws-amplify` does when it is configured.
    Amplify.configure({ Auth: { Cognito } }, { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } })
  })
  afterAll(() => vi.restoreAllMocks())

  const join = (username: string) => signUp({ username, password: PASSWORD, options: { userAttributes: { email: username } } })
  const tokens = async (forceRefresh = false) => (await fetchAuthSession({ forceRefresh })).tokens

  test('signs up and in by SRP, and renews by GetTokensFromRefreshToken', async () => {
    const username = 'alma@example.org'
    const { isSignUpComplete, userId } = await join(username)
    expect(isSignUpComplete).toBe(true)
    await expect(amplifySignIn({ username, password: OTHER_PASSWORD })).rejects.toMatchObject({
      name: 'NotAuthorizedException',
      message: 'Incorrect username or password.',
    })
    expect(await amplifySignIn({ username, password: PASSWORD })).toMatchObject({ isSignedIn: true })
    const first = await tokens()
    expect(await askApi(String(first?.accessToken))).toEqual({ status: 200, userId })
    const renewed = await tokens(true)
    expect(String(renewed?.accessToken)).not.toBe(String(first?.accessToken))
    expect(renewed?.accessToken.payload).toMatchObject({
      sub: first?.accessToken.payload.sub,
      origin_jti: first?.accessToken.payload.origin_jti,
    })
    expect(await askApi(String(renewed?.idToken))).toEqual({ status: 200, userId })
    await signOut()
  })

  test('changes a password, and sets a forgotten one anew with the code that is printed', async () => {
    const username = 'anna@example.org'
    await join(username)
    await amplifySignIn({ username, password: PASSWORD })
    await expect(updatePassword({ oldPassword: PASSWORD, newPassword: 'short' })).rejects.toMatchObject({
      name: 'InvalidPasswordException',
    })
    await updatePassword({ oldPassword: PASSWORD, newPassword: OTHER_PASSWORD })
    await signOut()
    expect(await resetPassword({ username })).toMatchObject({
      nextStep: { codeDeliveryDetails: { deliveryMedium: 'EMAIL', destination: 'a***@e***' } },
    })
    await confirmResetPassword({ username, confirmationCode: await printedCode(username), newPassword: PASSWORD })
    await expect(amplifySignIn({ username, password: OTHER_PASSWORD })).rejects.toMatchObject({ name: 'NotAuthorizedException' })
    expect(await amplifySignIn({ username, password: PASSWORD })).toMatchObject({ isSignedIn: true })
    await signOut()
  })

  test('signs out everywhere: nothing is renewed any more', async () => {
    const username = 'asta@example.org'
    const { userId } = await join(username)
    await amplifySignIn({ username, password: PASSWORD })
    const { accessToken } = (await tokens()) ?? {}
    const { refreshToken = '' } = (await cognitoUserPoolsTokenProvider.authTokenStore.loadTokens()) ?? {}
    await signOut({ global: true })
    expect(await tokens()).toBeUndefined()
    const renewal = await fetch(auth.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.GetTokensFromRefreshToken' },
      body: JSON.stringify({ ClientId: auth.clientId, RefreshToken: refreshToken }),
    })
    expect([renewal.status, renewal.headers.get('x-amzn-errortype')]).toEqual([400, 'NotAuthorizedException'])
    expect(await askApi(String(accessToken))).toEqual({ status: 200, userId })
  })
})
