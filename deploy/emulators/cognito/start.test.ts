import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { askAs } from '../testing/ask-as.ts'
import { type Cognito, type PostConfirmationEvent, startCognito } from './start.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const PASSWORD = 'correct horse'

type Tokens = { AccessToken: string; IdToken: string; RefreshToken: string; ExpiresIn: number; TokenType: string }
type Answer = { status: number; type: string | null; body: Record<string, unknown> & { UserSub?: string; AuthenticationResult?: Tokens } }

let cognito: Cognito
let people = 0
let onConfirmed: (event: PostConfirmationEvent) => Promise<void> = async () => {}

beforeAll(async () => {
  cognito = await startCognito({ production: false, origins: ['https://app.example'], onPostConfirmation: event => onConfirmed(event) })
}, 60_000)

afterAll(() => cognito.close())

const newEmail = (): string => `person-${++people}@example.com`

async function call(target: string, body: unknown, { endpoint } = cognito): Promise<Answer> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${target}` }
  const response = await fetch(endpoint, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { status: response.status, type: response.headers.get('x-amzn-errortype'), body: JSON.parse(await response.text()) }
}

const signUp = (email: string, more: object = {}, on = cognito) =>
  call(
    'SignUp',
    { ClientId: on.clientId, Username: email, Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: email }], ...more },
    on,
  )

const authenticate = (flow: string, parameters: object, on = cognito) =>
  call('InitiateAuth', { ClientId: on.clientId, AuthFlow: flow, AuthParameters: parameters }, on)

async function signIn(email: string, on = cognito): Promise<Tokens> {
  const { body } = await authenticate('USER_PASSWORD_AUTH', { USERNAME: email, PASSWORD }, on)
  if (body.AuthenticationResult === undefined) throw new Error(`no tokens for ${email}: ${JSON.stringify(body)}`)
  return body.AuthenticationResult
}

function verifier(tokenUse: 'access' | 'id', clientId = cognito.clientId) {
  const made = CognitoJwtVerifier.create({ userPoolId: cognito.userPoolId, clientId, tokenUse })
  made.cacheJwks(cognito.jwks)
  return made
}

describe('tokens', () => {
  test('of a sign-in right after sign-up are those that the Cognito verifier accepts', async () => {
    const email = newEmail()
    const { status, body } = await signUp(email)
    expect(status).toBe(200)
    expect(body).toEqual({ UserConfirmed: true, UserSub: expect.stringMatching(UUID) })
    const tokens = await signIn(email)
    expect(tokens).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' })

    const access = await verifier('access').verify(tokens.AccessToken)
    expect(access).toMatchObject({ sub: body.UserSub, client_id: cognito.clientId, token_use: 'access', iss: cognito.issuer })
    expect(access.exp - access.iat).toBe(3600)
    const id = await verifier('id').verify(tokens.IdToken)
    expect(id).toMatchObject({
      sub: body.UserSub,
      aud: cognito.clientId,
      token_use: 'id',
      email,
      email_verified: true,
      iss: cognito.issuer,
    })
  })

  test('are refreshed for the same person', async () => {
    const email = newEmail()
    const { body } = await signUp(email)
    const { RefreshToken } = await signIn(email)
    const refreshed = await authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: RefreshToken })
    const tokens = refreshed.body.AuthenticationResult
    expect(tokens).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' })
    expect(tokens?.RefreshToken).toBeUndefined()
    expect((await verifier('access').verify(tokens?.AccessToken ?? '')).sub).toBe(body.UserSub)
    expect((await verifier('id').verify(tokens?.IdToken ?? '')).sub).toBe(body.UserSub)
  })

  test('of another client, of the wrong use, refresh tokens and altered ones are refused by the verifier', async () => {
    const email = newEmail()
    await signUp(email)
    const { AccessToken, IdToken, RefreshToken } = await signIn(email)
    const [head, , signature] = AccessToken.split('.')
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(AccessToken.split('.')[1] ?? '')), sub: 'other' })).toString('base64url')
    await expect(verifier('access', 'anotherclientofthispool000').verify(AccessToken)).rejects.toThrow(/Client ID not allowed/)
    await expect(verifier('access').verify(IdToken)).rejects.toThrow(/Token use not allowed/)
    await expect(verifier('access').verify(RefreshToken)).rejects.toThrow()
    await expect(verifier('access').verify(`${head}.${forged}.${signature}`)).rejects.toThrow(/signature/i)
  })

  test('are checked with keys that also lie at their usual path', async () => {
    const keys = await fetch(`${cognito.endpoint}/${cognito.userPoolId}/.well-known/jwks.json`)
    expect(await keys.json()).toEqual(cognito.jwks)
    expect(cognito.jwks.keys[0]).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', kid: expect.any(String) })
  })

  test('the pool and its client have the form of real ones', () => {
    expect(cognito.userPoolId).toMatch(/^us-east-1_[0-9A-Za-z]{9}$/)
    expect(cognito.clientId).toMatch(/^[0-9a-z]{26}$/)
    expect(cognito.issuer).toBe(`https://cognito-idp.us-east-1.amazonaws.com/${cognito.userPoolId}`)
  })

  test('a person keeps twenty sign-ins: the next one ends the oldest', async () => {
    const email = newEmail()
    await signUp(email)
    const first = await signIn(email)
    const second = await signIn(email)
    for (let more = 0; more < 19; more++) await signIn(email)
    const ended = await authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: first.RefreshToken })
    expect(ended.body).toEqual({ __type: 'NotAuthorizedException', message: 'Invalid Refresh Token' })
    expect((await authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: second.RefreshToken })).status).toBe(200)
  })
})

describe('the post-confirmation trigger', () => {
  test('gets the event of a real one, and sign-up waits for it', async () => {
    const email = newEmail()
    const steps: string[] = []
    const events: PostConfirmationEvent[] = []
    const gate = new EventEmitter()
    const called = once(gate, 'called')
    onConfirmed = async event => {
      events.push(event)
      gate.emit('called')
      await once(gate, 'go')
      steps.push('handled')
    }
    const answer = signUp(email, { ClientMetadata: { from: 'test' } }).finally(() => steps.push('answered'))
    await called
    // Whoever would be answered now would be answered before this call is.
    await call('GetUser', { AccessToken: '' })
    gate.emit('go')
    const { body } = await answer
    onConfirmed = async () => {}
    expect(steps).toEqual(['handled', 'answered'])
    expect(events).toEqual([
      {
        version: '1',
        region: 'us-east-1',
        userPoolId: cognito.userPoolId,
        userName: body.UserSub,
        callerContext: { awsSdkVersion: expect.any(String), clientId: cognito.clientId },
        triggerSource: 'PostConfirmation_ConfirmSignUp',
        request: {
          userAttributes: { sub: body.UserSub, email, email_verified: 'true', 'cognito:user_status': 'CONFIRMED' },
          clientMetadata: { from: 'test' },
        },
        response: {},
      },
    ])
  })

  test('that fails makes sign-up fail as on AWS, and the user exists all the same', async () => {
    const email = newEmail()
    onConfirmed = async () => {
      throw new Error('no table')
    }
    const answer = await signUp(email)
    onConfirmed = async () => {}
    expect(answer).toMatchObject({ status: 400, type: 'UserLambdaValidationException' })
    expect(answer.body).toEqual({ __type: 'UserLambdaValidationException', message: 'PostConfirmation failed with error no table.' })
    expect((await signUp(email)).type).toBe('UsernameExistsException')
    expect((await signIn(email)).AccessToken).toBeTruthy()
  })
})

describe('errors are those of the protocol', () => {
  const refused = async (answer: Promise<Answer>, code: string): Promise<unknown> => {
    const { status, type, body } = await answer
    expect({ status, type, code: body.__type }).toEqual({ status: 400, type: code, code })
    return body.message
  }

  test('for an address that is taken, in any case, also by two at once', async () => {
    const email = `Ada.${newEmail()}`
    const both = await Promise.all([signUp(email), signUp(email.toUpperCase())])
    expect(both.map(answer => answer.type).sort()).toEqual(['UsernameExistsException', null].sort())
    await refused(signUp(email.toLowerCase()), 'UsernameExistsException')
  })

  test('for changing to an address that somebody else has', async () => {
    const taken = newEmail()
    await signUp(taken)
    const email = newEmail()
    await signUp(email)
    const { AccessToken } = await signIn(email)
    const change = (Value: string) => call('UpdateUserAttributes', { AccessToken, UserAttributes: [{ Name: 'email', Value }] })
    await refused(change(taken.toUpperCase()), 'AliasExistsException')
    const other = newEmail()
    expect((await change(other)).status).toBe(200)
    expect((await signIn(other)).AccessToken).toBeTruthy()
    await refused(authenticate('USER_PASSWORD_AUTH', { USERNAME: email, PASSWORD }), 'NotAuthorizedException')
    expect((await signUp(email)).status).toBe(200)
  })

  test('an address is the same in any case, and kept as it was written', async () => {
    const email = `Grace.${newEmail()}`
    await signUp(email)
    const { IdToken } = await signIn(email.toUpperCase())
    expect((await verifier('id').verify(IdToken)).email).toBe(email)
  })

  test('for a wrong password, the same as for nobody', async () => {
    const email = newEmail()
    await signUp(email)
    const wrong = await refused(authenticate('USER_PASSWORD_AUTH', { USERNAME: email, PASSWORD: 'wrong horse' }), 'NotAuthorizedException')
    const nobody = await refused(authenticate('USER_PASSWORD_AUTH', { USERNAME: newEmail(), PASSWORD }), 'NotAuthorizedException')
    expect(wrong).toBe('Incorrect username or password.')
    expect(nobody).toBe(wrong)
  })

  test('for what sign-up does not take', async () => {
    await refused(signUp(newEmail(), { Password: 'short' }), 'InvalidPasswordException')
    await refused(signUp(newEmail(), { Password: undefined }), 'InvalidPasswordException')
    await refused(signUp('not an address'), 'InvalidParameterException')
    await refused(signUp(''), 'InvalidParameterException')
    await refused(signUp(newEmail(), { UserAttributes: [{ Name: 'email', Value: 'other@example.com' }] }), 'InvalidParameterException')
    await refused(signUp(newEmail(), { ClientId: 'unknown' }), 'ResourceNotFoundException')
  })

  test('nobody chooses their own id, or verifies their own address', async () => {
    const victim = await signUp(newEmail())
    await refused(signUp(newEmail(), { UserAttributes: [{ Name: 'sub', Value: victim.body.UserSub }] }), 'NotAuthorizedException')
    await refused(signUp(newEmail(), { UserAttributes: [{ Name: 'email_verified', Value: 'true' }] }), 'NotAuthorizedException')
  })

  test('for what sign-in does not take', async () => {
    await refused(authenticate('USER_PASSWORD_AUTH', { USERNAME: newEmail() }), 'InvalidParameterException')
    await refused(authenticate('CUSTOM_AUTH', { USERNAME: newEmail() }), 'InvalidParameterException')
    await refused(authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: 'nonsense' }), 'NotAuthorizedException')
    await refused(call('InitiateAuth', '{'), 'SerializationException')
    await refused(call('InitiateAuth', '[]'), 'SerializationException')
    await refused(call('SignUp', { Username: 'x'.repeat(300_000) }), 'SerializationException')
    await refused(call('Nothing', {}), 'UnknownOperationException')
  })

  test('for an access token that the pool did not sign', async () => {
    const email = newEmail()
    await signUp(email)
    const { AccessToken } = await signIn(email)
    const unsigned = `${btoa('{"alg":"none"}')}.${AccessToken.split('.')[1]}.`
    for (const target of ['GetUser', 'DeleteUser', 'ChangePassword']) {
      await refused(
        call(target, { AccessToken: unsigned, PreviousPassword: PASSWORD, ProposedPassword: 'battery staple' }),
        'NotAuthorizedException',
      )
    }
    expect((await call('GetUser', { AccessToken })).status).toBe(200)
  })

  test('a removed user is gone, and the address is free again', async () => {
    const email = newEmail()
    const first = await signUp(email)
    const { AccessToken, RefreshToken } = await signIn(email)
    const removed = await call('AdminDeleteUser', { UserPoolId: cognito.userPoolId, Username: first.body.UserSub })
    expect(removed.status).toBe(200)
    await refused(call('GetUser', { AccessToken }), 'UserNotFoundException')
    await refused(authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: RefreshToken }), 'NotAuthorizedException')
    await refused(authenticate('USER_PASSWORD_AUTH', { USERNAME: email, PASSWORD }), 'NotAuthorizedException')
    const second = await signUp(email)
    expect(second.status).toBe(200)
    expect(second.body.UserSub).not.toBe(first.body.UserSub)
  })
})

describe('browsers', () => {
  const preflight = (origin: string) =>
    fetch(cognito.endpoint, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-amz-target' },
    })

  test.each(['http://localhost:3000', 'http://127.0.0.1:8080', 'https://app.example'])('may call from %s', async origin => {
    const { status, headers } = await preflight(origin)
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(origin)
    expect(headers.get('access-control-allow-headers')).toBe('content-type,x-amz-target')
    expect(headers.get('access-control-allow-methods')).toContain('POST')
    const answer = await fetch(cognito.endpoint, { method: 'POST', headers: { origin }, body: '{}' })
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
  })

  const foreign = [
    'https://example.com',
    'http://localhost.example.com',
    'https://localhost:3000',
    'http://[::1]:1',
    'http://localhost:x',
    'null',
  ]
  test.each(foreign)('may not call from %s', async origin => {
    const asked = await preflight(origin)
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const email = newEmail()
    // A form's type: browsers send it without asking first.
    const body = JSON.stringify({ ClientId: cognito.clientId, Username: email, Password: PASSWORD })
    const headers = { origin, 'content-type': 'text/plain', 'x-amz-target': 'AWSCognitoIdentityProviderService.SignUp' }
    const answer = await fetch(cognito.endpoint, { method: 'POST', headers, body })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
    // Nobody signed up: the address is free.
    expect((await signUp(email)).status).toBe(200)
  })
  test('may not call under a name that somebody’s DNS gave this machine', async () => {
    const { port } = new URL(cognito.endpoint)
    expect(await askAs(port, { host: `evil.example:${port}` })).toBe(403)
    expect(await askAs(port, { host: `localhost:${port}` })).toBe(200)
  })
})

// Each starts processes of its own, which takes seconds on a busy machine.
describe('the process', { timeout: 60_000 }, () => {
  const temporary = () => mkdtemp(join(tmpdir(), 'dailygrind-test-'))
  const start = (options: Partial<Parameters<typeof startCognito>[0]> = {}) =>
    startCognito({ production: false, onPostConfirmation: async () => {}, warn: () => {}, ...options })

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  test('keeps its users over a restart, with the same ids', async () => {
    const dataDir = await temporary()
    const email = newEmail()
    const first = await start({ dataDir })
    const { body } = await signUp(email, {}, first)
    const { RefreshToken } = await signIn(email, first)
    await first.close()
    const second = await start({ dataDir })
    const { IdToken } = await signIn(email, second)
    expect((await verifier('id').verify(IdToken)).sub).toBe(body.UserSub)
    expect((await authenticate('REFRESH_TOKEN_AUTH', { REFRESH_TOKEN: RefreshToken }, second)).status).toBe(200)
    expect((await signUp(email, {}, second)).type).toBe('UsernameExistsException')
    await second.close()
    expect((await stat(join(dataDir, `${second.userPoolId}.jsonl`))).mode & 0o077).toBe(0)
    await rm(dataDir, { recursive: true })
  })

  test('is started again on the same port when it is killed, and has lost nobody', async () => {
    const warnings: string[] = []
    const running = await start({ warn: text => warnings.push(text) })
    const email = newEmail()
    const { body } = await signUp(email, {}, running)
    const killed = running.pid() ?? 0
    process.kill(killed, 'SIGKILL')
    const { IdToken } = await vi.waitFor(() => signIn(email, running), { timeout: 20_000, interval: 50 })
    expect((await verifier('id').verify(IdToken)).sub).toBe(body.UserSub)
    expect(running.pid()).not.toBe(killed)
    expect(warnings[0]).toContain('SIGKILL')
    // The new process serves the trigger, too.
    expect((await signUp(newEmail(), {}, running)).status).toBe(200)
    await running.close()
  })

  test('leaves nothing when closed: no process, no port, no temporary folder', async () => {
    const running = await start()
    const pid = running.pid() ?? 0
    const folder = process.platform === 'linux' ? await readlink(`/proc/${pid}/cwd`) : undefined
    await running.close()
    expect(isAlive(pid)).toBe(false)
    await expect(fetch(running.endpoint)).rejects.toThrow()
    if (folder !== undefined) await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.skipIf(process.platform !== 'linux')('has a session of its own: a Ctrl-C of the terminal does not reach it', async () => {
    const pid = cognito.pid()
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')
    expect(Number(fields?.[3])).toBe(pid)
  })

  test('ends when its parent is killed', async () => {
    const folder = await temporary()
    const script = join(folder, 'parent.mts')
    const source = `import { startCognito } from ${JSON.stringify(new URL('./start.ts', import.meta.url).href)}
      const { endpoint } = await startCognito({ production: false, dataDir: ${JSON.stringify(folder)}, onPostConfirmation: async () => {} })
      console.log(JSON.stringify({ endpoint }))`
    await writeFile(script, source)
    const parent: ChildProcess = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(parent.stdout ?? parent, 'data')
    const { endpoint } = JSON.parse(String(line))
    expect((await fetch(`${endpoint}/health`)).status).toBe(200)
    parent.kill('SIGKILL')
    await vi.waitFor(() => expect(fetch(`${endpoint}/health`)).rejects.toThrow(), { timeout: 10_000 })
    await rm(folder, { recursive: true })
  })

  test('does not start in production, or on a port that is taken', async () => {
    await expect(start({ production: true })).rejects.toThrow(/production/)
    await expect(start({ port: Number(new URL(cognito.endpoint).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  const outside = Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)

  test.skipIf(outside === undefined)('listens on loopback only', async () => {
    const socket = connect(Number(new URL(cognito.endpoint).port), outside?.address)
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
