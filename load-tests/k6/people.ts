import http from 'k6/http'
import { z } from 'zod'
import { ClientConfig } from '../../contracts/edge.ts'
import { beginCounting } from './metrics.ts'
import { zoneOfNoon } from './noon.ts'
import { say } from './say.ts'
import { baseUrl } from './settings.ts'
import { inBatches, pause } from './wait.ts'

/** People for a run, signed up through the Cognito protocol at the address that `/v1/config` names; tokens are good for an hour, so for the run. */

export type Person = { readonly id: string; readonly token: string; readonly circle: number }
export type Gathering = { readonly stream: string; readonly people: readonly Person[] }

const AT_ONCE = 8
const TRIES = 6
const PASSWORD = 'Grind-daily-1'

/** Limits are the mesh's own to hold, whatever they are. */
const Config = ClientConfig.omit({ limits: true })
type Config = z.infer<typeof Config>
const SignedUp = z.object({ UserSub: z.string(), UserConfirmed: z.boolean() })
const SignedIn = z.object({ AuthenticationResult: z.object({ AccessToken: z.string() }) })

const configOf = (): Config => {
  const answer = http.get(`${baseUrl}/v1/config`, { tags: { name: 'setup config' } })
  if (answer.status !== 200 || typeof answer.body !== 'string')
    throw new Error(`${baseUrl}/v1/config answers ${answer.status || answer.error}: is this a mesh?`)
  return Config.parse(JSON.parse(answer.body))
}

const pool =
  ({ auth }: Config) =>
  async (action: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${action}` }
    for (let tried = 1; ; tried += 1) {
      const answer = await http.asyncRequest('POST', auth.endpoint, JSON.stringify({ ClientId: auth.clientId, ...body }), {
        headers,
        tags: { name: `setup ${action}` },
      })
      const text = typeof answer.body === 'string' ? answer.body : ''
      if (answer.status === 200) return JSON.parse(text)
      // pools limit sign-ups a second, in words of their own
      if (tried === TRIES || !(answer.status === 429 || text.includes('TooManyRequests')))
        throw new Error(`${action} at ${auth.endpoint}: ${answer.status} ${text.slice(0, 300) || answer.error}`)
      await pause(2 ** tried * 250)
    }
  }

type Call = ReturnType<typeof pool>
const join = async (call: Call, name: string, run: string, circle: number, timeZone: string): Promise<Person> => {
  const email = `${name}-${run}@example.org`.toLowerCase()
  const SignUp = { Username: email, Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: email }] }
  const { UserSub: id, UserConfirmed } = SignedUp.parse(await call('SignUp', SignUp))
  if (!UserConfirmed) throw new Error('the pool waits for a confirmation of addresses: load tests need one that confirms at once')
  const InitiateAuth = { AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: email, PASSWORD } }
  const token = SignedIn.parse(await call('InitiateAuth', InitiateAuth)).AuthenticationResult.AccessToken
  await say({ token }, 'user.replace', { firstName: name, lastName: 'Load', timeZone })
  return { id, token, circle }
}

/**
 * Signs people up and makes all of a circle friends of each other. For `setup()`.
 * @param count how many @param circle how many of them make a circle
 */
export const gather = async (count: number, circle: number): Promise<Gathering> => {
  beginCounting()
  const config = configOf()
  const call = pool(config)
  const run = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`
  const timeZone = zoneOfNoon(new Date())
  const numbers = Array.from({ length: count }, (_, i) => i)
  const people = await inBatches(numbers, AT_ONCE, i => join(call, `p${i}`, run, Math.floor(i / circle), timeZone))
  const pairs = people.flatMap((a, i) => people.slice(i + 1).flatMap(b => (a.circle === b.circle ? [[a, b] as const] : [])))
  await inBatches(pairs, AT_ONCE, async ([a, b]) => {
    await say(a, 'friend.request', { userId: b.id })
    await say(b, 'friend.accept', { userId: a.id })
  })
  console.info(`${count} people are here, ${pairs.length} friendships made`)
  return { stream: config.stream, people }
}
