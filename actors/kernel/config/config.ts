import { z } from 'zod'

/** Comma-separated list. */
const list = z.string().transform(s =>
  s
    .split(',')
    .map(x => x.trim())
    .filter(x => x !== ''),
)
const flag = z.enum(['true', 'false', '1', '0']).transform(x => x === 'true' || x === '1')
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text)
const count = z.coerce.number().int().min(0)
const atLeastOne = z.coerce.number().int().min(1)

/**
 * Everything that the environment may say, with its defaults. Engines follow the AWS SDK's own names, so a process without any of the endpoints
 * talks to AWS; the embedded mesh passes them all.
 */
const Environment = z.object({
  NODE_ENV: z.string().default('development'),
  /** Before the names of tables, queues and topics, so that deployments can share an account; by default the mesh says it. */
  PREFIX: z
    .string()
    .regex(/^[a-z0-9-]*$/, 'takes a-z, 0-9 and -')
    .optional(),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),

  AWS_REGION: z.string().default('us-east-1'),
  AWS_ENDPOINT_URL: z.url().optional(),
  AWS_ENDPOINT_URL_SQS: z.url().optional(),
  AWS_ENDPOINT_URL_SNS: z.url().optional(),
  AWS_ENDPOINT_URL_DYNAMODB: z.url().optional(),
  /** What requests to the engines are signed with. Without a key pair the AWS SDK looks where it always does: a profile, a role, a container. */
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_PROFILE: z.string().optional(),
  /** Endpoints of engines that this mesh embeds, set by it: they take any credentials, so they are never shown the ones above. */
  EMBEDDED_ENDPOINTS: list.default([]),
  REDIS_URL: z.url().optional(),
  /** Where jobs are kept when it is not in that Redis. */
  JOBS_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'takes postgres://…; without it jobs are kept in REDIS_URL' }).optional(),
  /** For the embedded mesh without REDIS_URL: the Redis program to run. One that cannot be found (`none`, say) is done without. */
  REDIS_SERVER: z.string().default('redis-server'),

  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Metrics, health and traces of any process; 0 takes a free one. */
  OPERATIONS_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Signs cursors and operation ids; the same for all edges of a deployment. */
  EDGE_SECRET: z.string().min(32).optional(),
  /** How long an edge that is told to go waits for replies, in ms, before those who still wait get a 202: the longest default wait, and a little. */
  EDGE_DRAIN_MS: count.default(5_500),
  /**
   * How long a worker that is told to go may take, in ms. On AWS a poll that is cut short goes on and swallows messages, so its polls are let end: 21 s, and
   * some to handle what they bring. Engines that forget a poll whose client is gone need no more than the handling takes.
   */
  WORKER_DRAIN_MS: count.default(26_000),
  /**
   * How many proxies of ours stand before the edge (a load balancer is one): the caller's address is that far from the right in the header that they write.
   * With a wrong number callers share the proxy's address, or make up their own.
   */
  PROXIES: count.default(0),
  FORWARDED_HEADER: z.enum(['x-forwarded-for', 'forwarded']).default('x-forwarded-for'),
  /** Forces the library that the edge serves with; by default uWebSockets.js where its binary loads, `node:http` elsewhere. */
  EDGE_SERVER: z.enum(['uws', 'node']).optional(),
  /** Exact origins that browsers may come from; `http://localhost:*` takes any port. */
  CORS_ORIGINS: list.default([]),

  COGNITO_USER_POOL_ID: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]+$/, 'must look like eu-central-1_AbCdEfGhI')
    .optional(),
  COGNITO_CLIENT_ID: z.string().optional(),
  /** Where clients sign up and in; AWS's own address when absent. */
  COGNITO_ENDPOINT: z.url().optional(),
  /** The issuer in the tokens when it is not AWS's own, and the keys to take for it (a JWKS as JSON) where they are not fetched. */
  COGNITO_ISSUER: z.string().optional(),
  COGNITO_JWKS: z.string().optional(),

  /** Requests a second and bursts, per user; per address ten times that. */
  READS_PER_SECOND: count.default(100),
  READS_BURST: count.default(1000),
  WRITES_PER_SECOND: count.default(20),
  WRITES_BURST: count.default(400),
  /** What one person, or one address, holds at an edge at the same time. */
  SOCKETS_PER_USER: atLeastOne.default(20),
  SOCKETS_PER_ADDRESS: atLeastOne.default(2_000),
  UNANSWERED_WRITES_PER_USER: atLeastOne.default(100),
  /** What one key (a mailbox group) holds at an edge: those who wait for its replies, and its commands without a reply. */
  WAITERS_PER_KEY: atLeastOne.default(100),
  UNSETTLED_COMMANDS_PER_KEY: atLeastOne.default(1_000),
  /** Embedded engines: loopback is exempt from the address limit, addresses in `/v1/config` are plain http. */
  EMBEDDED: flag.default(false),

  /**
   * The key pair that push messages are signed with (VAPID, RFC 8292; base64url), and whom push services may turn to: `mailto:` or `https:`. Without them
   * there is no key to subscribe with, and nothing is sent.
   */
  VAPID_PUBLIC_KEY: z.string().optional(),
  VAPID_PRIVATE_KEY: z.string().optional(),
  VAPID_SUBJECT: z
    .string()
    .regex(/^(mailto:\S+@\S+|https:\/\/\S+)$/, 'must begin with mailto: or https://')
    .optional(),
  /** For tests and the story: exact origins of push services besides the known ones, plain http and private ones too. Refused in production. */
  PUSH_ALLOW_ORIGINS: list.pipe(z.array(z.string().refine(isOrigin, 'takes exact origins such as http://127.0.0.1:8081'))).default([]),

  /** Turns under way at once, and pollers a queue. */
  CONCURRENCY: z.coerce.number().int().min(1).default(64),
  POLLERS: z.coerce.number().int().min(1).max(10).default(2),
  /** For tests: `after-commit=kill@3,before-ack=stall:2000@1`; see `failpoints.ts`. Refused in production. */
  FAILPOINTS: z.string().default(''),
})
export type Config = Omit<z.infer<typeof Environment>, 'PREFIX'> & { readonly PREFIX: string }
/** What the environment need not say: a mesh is one. */
type Defaults = { readonly prefix: string }

/**
 * Reads the environment, once, at the start of a process. An empty variable counts as not set.
 * @throws an error naming each variable that is wrong, and why
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>, { prefix }: Defaults): Config => {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const result = Environment.safeParse(given)
  if (!result.success) {
    const wrong = result.error.issues.map(i => `  ${i.path.join('.')}: ${i.message} (it is ${JSON.stringify(given[String(i.path[0])])})`)
    throw new Error(`The environment has wrong values:\n${wrong.join('\n')}`)
  }
  if (result.data.NODE_ENV === 'production' && result.data.FAILPOINTS !== '')
    throw new Error('FAILPOINTS is for tests and is refused in production')
  if (result.data.NODE_ENV === 'production' && result.data.PUSH_ALLOW_ORIGINS.length > 0)
    throw new Error('PUSH_ALLOW_ORIGINS is for tests and is refused in production: clients could have us call any address there')
  if ((result.data.AWS_ACCESS_KEY_ID === undefined) !== (result.data.AWS_SECRET_ACCESS_KEY === undefined))
    throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together')
  const vapid = [result.data.VAPID_PUBLIC_KEY, result.data.VAPID_PRIVATE_KEY, result.data.VAPID_SUBJECT]
  if (vapid.includes(undefined) && vapid.some(part => part !== undefined))
    throw new Error('VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT go together')
  return { ...result.data, PREFIX: result.data.PREFIX ?? prefix }
}

/** The environment with some values set over it. */
export const environment = (over: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> => ({
  ...process.env,
  ...over,
})

/** The AWS SDK greets Node 20 with a notice about versions to come, at every start of every process; ours are pinned. */
export const silenceNodeNotice = (): void => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
}
