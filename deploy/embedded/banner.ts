import { formatFlag, quoteWord } from '../shell.ts'
import type { ServedBy } from './running.ts'

export type BannerFacts = {
  readonly url: string
  readonly stream: string
  readonly operations: string
  readonly server: ServedBy
  /** undefined: nothing is kept. */
  readonly data: string | undefined
  /** Where the mesh is described, kept or not. */
  readonly directory: string
  /** Where the embedded engines are, as environment variables. */
  readonly engines: Readonly<Record<string, string>>
  /** Whether the environment says where jobs are kept. */
  readonly ownJobs: boolean
  readonly processes: readonly { readonly name: string; readonly pid: number }[]
  readonly tookMs: number
}

/** What a person wants to know of a mesh that has just begun. The box holds addresses; the commands stand below it, where they can be copied whole. */
export const banner = (f: BannerFacts): string => {
  const where = formatFlag('data', f.data ?? f.directory)
  const rows = [
    ['API', `${f.url}/v1`],
    ['Stream', f.stream],
    ['Docs', `${f.url}/docs`],
    ['Metrics', `${f.operations}/metrics`],
    ['Server', formatServer(f.server)],
    ['Data', oneLine(f.data) ?? 'kept nowhere (--ephemeral)'],
    ...backplaneAndJobs(f),
    ['Processes', f.processes.map(p => `${p.name} ${p.pid}`).join(', ')],
  ] as const
  const title = `Daily Grind is ready after ${(f.tookMs / 1000).toFixed(1)} s`
  const wide = Math.max(...rows.map(([name]) => name.length))
  const lines = [title, '', ...rows.map(([name, value]) => `${name.padEnd(wide)}  ${value}`)]
  const width = Math.max(...lines.map(l => l.length))
  return [
    `┌─${'─'.repeat(width)}─┐`,
    ...lines.map(l => `│ ${l.padEnd(width)} │`),
    `└─${'─'.repeat(width)}─┘`,
    '',
    ...signUp(f),
    `Watch five people use it:  npm run story -- ${where}`,
    `Watch what goes on in it:  npm run mesh -- watch ${where}`,
    'Stop:                      Ctrl-C',
    '',
  ].join('\n')
}

/** A slower server is no fault, but whoever measures wants to know. */
const formatServer = ({ name, why }: ServedBy): string => `${name === 'uws' ? 'uWebSockets.js' : 'node:http'}: ${why}`

/** The box has a line a row. */
const oneLine = (path: string | undefined): string | undefined => (path !== undefined && /\p{Cc}/u.test(path) ? JSON.stringify(path) : path)

/** Where replies and live events pass, and where push deliveries wait for their next try. */
const backplaneAndJobs = ({ engines: { REDIS_URL: redis, JOBS_URL: pglite }, ownJobs }: BannerFacts): (readonly [string, string])[] => {
  const backplane = (): string => {
    if (redis === undefined) return 'the Redis of REDIS_URL'
    if (pglite !== undefined) return `embedded, in memory, Redis protocol at ${redis}`
    return ownJobs ? `embedded, Redis protocol at ${redis}` : `this machine's redis-server, run for the mesh, at ${redis}`
  }
  const jobs = (): string => {
    if (ownJobs) return 'the PostgreSQL of JOBS_URL'
    return pglite === undefined ? 'that Redis' : `PGlite, asleep until there is one, at ${pglite}`
  }
  return [
    ['Backplane', backplane()],
    ['Jobs', `BullMQ on ${jobs()}`],
  ]
}

const signUp = ({ url, engines }: BannerFacts): string[] => {
  const { COGNITO_ENDPOINT: endpoint, COGNITO_CLIENT_ID: clientId } = engines
  // A user pool of one's own has rules of its own.
  if (endpoint === undefined) return []
  const cognito = (action: string, body: object): string =>
    `curl -s ${quoteWord(endpoint)} -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSCognitoIdentityProviderService.${action}' -d ${quoteWord(JSON.stringify({ ClientId: clientId, ...body }))}`
  const [name, password] = ['ann@example.com', 'correct horse battery']
  return [
    'Sign up, sign in, and begin your profile:',
    '',
    cognito('SignUp', { Username: name, Password: password, UserAttributes: [{ Name: 'email', Value: name }] }),
    `TOKEN=$(${cognito('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: name, PASSWORD: password },
    })} | sed -E 's/.*"AccessToken":"([^"]+)".*/\\1/')`,
    `curl -s -X PUT ${quoteWord(`${url}/v1/users/me`)} -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"firstName":"Ann","lastName":"Lee"}'`,
    '',
  ]
}
