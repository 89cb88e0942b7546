import type { Logger } from 'pino'
import type { Config } from '../../actors/kernel/config/config.ts'
import { LOOKING, WAITING } from '../../actors/kernel/ports/jobs/engine.ts'
import { loopback } from '../emulators/loopback.ts'
import { createSteps, type Steps } from './steps.ts'

/** Ports to take again after a restart: clients know the engines by them. */
type EnginePorts = { readonly [E in 'cognito' | 'dynamodb' | 'sqsSns' | 'redis' | 'postgres']?: number }

export type EnginesOptions = {
  readonly config: Config
  /** Where tables, users and jobs are kept. */
  readonly data: string
  readonly ports?: EnginePorts
  readonly log: Logger
  readonly onPostConfirmation: (event: unknown) => Promise<void>
  /** Of the start that this is part of. */
  readonly steps?: Steps
}

export type Engines = {
  /** Where they are, as environment variables. */
  readonly settings: Readonly<Record<string, string>>
  readonly ports: EnginePorts
  /** What is wrong with what the engines keep, a sentence each, with what to do about it. */
  readonly troubles: () => readonly string[]
  readonly close: () => Promise<void>
}

type Part = Omit<Engines, 'troubles'> & {
  /** Undefined where nothing is kept. */
  readonly trouble?: () => string | undefined
}

/**
 * Starts the engines that the environment names no other for: each of `AWS_ENDPOINT_URL*`, `REDIS_URL` and `COGNITO_USER_POOL_ID` keeps one from being embedded.
 * @throws when one cannot start, or not in time, naming it; the others are closed again
 */
export const startEngines = async (options: EnginesOptions): Promise<Engines> => {
  const { config, steps = createSteps() } = options
  refuseHalves(config)
  const begin = (what: string, start: (options: EnginesOptions) => Promise<Part>): Promise<Part> =>
    steps.take(
      what,
      () => start(options),
      part => part.close(),
    )
  const begun = [
    // First, because it loads in a process of its own, beside ours.
    ...(config.COGNITO_USER_POOL_ID ? [] : [begin('Cognito', cognito)]),
    ...((config.AWS_ENDPOINT_URL_DYNAMODB ?? config.AWS_ENDPOINT_URL) ? [] : [begin('DynamoDB', dynamodb)]),
    ...((config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL) ? [] : [begin('SQS and SNS', sqsSns)]),
    ...(config.REDIS_URL ? [] : [begin('Redis', backplaneAndJobs)]),
  ]
  const results = await Promise.allSettled(begun)
  const parts = results.flatMap(r => (r.status === 'fulfilled' ? [r.value] : []))
  const close = async () => void (await Promise.allSettled(parts.map(p => p.close())))
  const failed = results.find(r => r.status === 'rejected')
  if (failed) {
    await close()
    throw failed.reason
  }
  const settings: Readonly<Record<string, string>> = Object.assign({}, ...parts.map(p => p.settings))
  return {
    settings: { ...settings, ...embeddedEndpoints(settings) },
    ports: Object.assign({}, ...parts.map(p => p.ports)),
    troubles: () => parts.flatMap(p => p.trouble?.() ?? []),
    close,
  }
}

/** Which endpoints take the fixed credentials: what was started here, not what the environment names. */
const embeddedEndpoints = (settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const endpoints = Object.entries(settings).flatMap(([name, value]) => (name.startsWith('AWS_ENDPOINT_URL') ? [value] : []))
  return { EMBEDDED_ENDPOINTS: [...new Set(endpoints)].join(',') }
}

const refuseHalves = (config: Config): void => {
  if (config.AWS_ENDPOINT_URL === undefined && (config.AWS_ENDPOINT_URL_SQS === undefined) !== (config.AWS_ENDPOINT_URL_SNS === undefined))
    throw new Error('AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_SNS go together: topics must reach the queues')
  if ((config.COGNITO_USER_POOL_ID === undefined) !== (config.COGNITO_CLIENT_ID === undefined))
    throw new Error('COGNITO_USER_POOL_ID and COGNITO_CLIENT_ID go together')
  // Its keys are published with it: whoever reaches the edge could sign any token.
  if (config.COGNITO_USER_POOL_ID === undefined && !loopback(config.HOST))
    throw new Error(`HOST is ${config.HOST}: with the embedded Cognito the API listens on loopback only`)
}

const portOf = (url: string): number => Number(new URL(url).port)

const cognito = async ({ config, data, ports, log, onPostConfirmation }: EnginesOptions): Promise<Part> => {
  const { describeCode, startCognito } = await import('../emulators/cognito/start.ts')
  const engine = await startCognito({
    dataDir: `${data}/cognito`,
    port: ports?.cognito ?? 0,
    origins: config.CORS_ORIGINS,
    production: config.NODE_ENV === 'production',
    onPostConfirmation,
    onCode: message => log.warn(describeCode(message)),
    warn: text => log.warn(text),
  })
  return {
    settings: {
      COGNITO_USER_POOL_ID: engine.userPoolId,
      COGNITO_CLIENT_ID: engine.clientId,
      COGNITO_ENDPOINT: engine.endpoint,
      COGNITO_ISSUER: engine.issuer,
      COGNITO_JWKS: JSON.stringify(engine.jwks),
    },
    ports: { cognito: portOf(engine.endpoint) },
    trouble: engine.trouble,
    close: engine.close,
  }
}

const dynamodb = async ({ data, ports, log }: EnginesOptions): Promise<Part> => {
  const { startDynamoDb } = await import('../emulators/dynamodb/server.ts')
  const { endpoint, trouble, close } = await startDynamoDb({
    path: `${data}/dynamodb`,
    port: ports?.dynamodb ?? 0,
    warn: text => log.error(text),
  })
  return { settings: { AWS_ENDPOINT_URL_DYNAMODB: endpoint }, ports: { dynamodb: portOf(endpoint) }, trouble, close }
}

const sqsSns = async ({ ports }: EnginesOptions): Promise<Part> => {
  const { startSqsSns } = await import('../emulators/sqs-sns/start.ts')
  const { endpoint, close } = await startSqsSns({ port: ports?.sqsSns ?? 0 })
  return { settings: { AWS_ENDPOINT_URL_SQS: endpoint, AWS_ENDPOINT_URL_SNS: endpoint }, ports: { sqsSns: portOf(endpoint) }, close }
}

/** A Redis of our own for both, where this machine has one; else what the backplane needs of it in memory, and PostgreSQL for the jobs. */
const backplaneAndJobs = async (options: EnginesOptions): Promise<Part> => {
  const { findRedisServer, startRedisServer } = await import('../emulators/redis-server/start.ts')
  const { config, data, ports, log } = options
  const program = config.REDIS_SERVER
  if ((await findRedisServer(program)) !== undefined) {
    const path = `${data}/redis`
    const { url, trouble, close } = await startRedisServer({ program, path, port: ports?.redis ?? 0, warn: text => log.warn(text) })
    return { settings: { REDIS_URL: url }, ports: { redis: portOf(url) }, trouble, close }
  }
  const { startRedis } = await import('../emulators/redis/start.ts')
  const redis = await startRedis({ port: ports?.redis ?? 0 })
  const settings = { REDIS_URL: redis.url }
  if (config.JOBS_URL) return { settings, ports: { redis: portOf(redis.url) }, close: redis.close }
  try {
    const jobs = await postgres(options)
    return {
      settings: { ...settings, ...jobs.settings },
      ports: { redis: portOf(redis.url), ...jobs.ports },
      ...(jobs.trouble ? { trouble: jobs.trouble } : {}),
      close: async () => void (await Promise.all([redis.close(), jobs.close()])),
    }
  } catch (error) {
    await redis.close()
    throw error
  }
}

const postgres = async ({ data, ports, log }: EnginesOptions): Promise<Part> => {
  const { startPostgres } = await import('../emulators/postgres/start.ts')
  const { url, trouble, close } = await startPostgres({
    path: `${data}/jobs`,
    port: ports?.postgres ?? 0,
    waiting: WAITING,
    looking: LOOKING,
    warn: (text, err) => log.warn({ err }, text),
  })
  return { settings: { JOBS_URL: url }, ports: { postgres: portOf(url) }, trouble, close }
}
