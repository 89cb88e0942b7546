import { pino } from 'pino'
import { type Config, environment, readConfig, silenceNodeNotice } from '../../actors/kernel/config/config.ts'
import { type Clients, openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { queueUrls, topicArns } from '../../actors/kernel/ports/aws/names.ts'
import type { Backplane } from '../../actors/kernel/ports/backplane/port.ts'
import { redisBackplane } from '../../actors/kernel/ports/backplane/redis.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { systemClock } from '../../actors/kernel/ports/clock/system.ts'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { type FindMissingRoutes, findMissingRoutes } from '../../actors/kernel/ports/events/routes.ts'
import { bullmqJobs } from '../../actors/kernel/ports/jobs/bullmq.ts'
import type { Jobs } from '../../actors/kernel/ports/jobs/port.ts'
import type { Mailbox } from '../../actors/kernel/ports/mailbox/port.ts'
import { sqsMailbox } from '../../actors/kernel/ports/mailbox/sqs.ts'
import { dynamoStore } from '../../actors/kernel/ports/store/dynamodb.ts'
import type { Store } from '../../actors/kernel/ports/store/port.ts'
import { isAlive } from '../../actors/kernel/process/alive.ts'
import { mesh } from '../../contracts/mesh.ts'
import { type MeshFile, readMeshFile } from '../embedded/mesh-file.ts'
import type { MeshProcess } from '../embedded/running.ts'
import { formatFlag } from '../shell.ts'
import { Refused, type Where } from './flags.ts'

/** There is none to ask: none is named, or the one that is must not be used. */
export type NoBackplane = { readonly none: string } | { readonly unfit: string }
export const isBackplane = (backplane: Backplane | NoBackplane): backplane is Backplane => 'spans' in backplane
/** Why there is none. */
export const whyNone = (backplane: NoBackplane): string => ('none' in backplane ? backplane.none : backplane.unfit)

/** A mesh as its operator reaches it: engines, and the operations servers that are known. */
export type OpenMesh = {
  /** Which one it is: said first, so that nobody works on another than they think. */
  readonly title: string
  /** What leads to it, to be put behind a command that is printed; empty where nothing is needed. */
  readonly flags: string
  readonly operations: readonly string[]
  readonly store: Store
  readonly mailbox: Mailbox
  readonly findMissingRoutes: FindMissingRoutes
  readonly backplane: Backplane | NoBackplane
  /** Undefined where none are known from here. */
  readonly jobs: Pick<Jobs, 'givenUp'> | undefined
  readonly clock: Clock
  /** The processes of an embedded mesh, now; undefined where it has ended. */
  readonly processes: () => Promise<readonly MeshProcess[] | undefined>
  readonly close: () => Promise<void>
}

const DEFAULT_DATA = '.data'

/** @throws Refused when there is no such mesh */
export const openMesh = async (where: Where): Promise<OpenMesh> => {
  silenceNodeNotice()
  if (where.aws) return onAws(where)
  const data = where.data ?? DEFAULT_DATA
  const file = await running(data)
  if (file) return embedded(data, file, where)
  throw new Refused(
    `no mesh runs in ${data}: start one with npm start, name the directory of another with --data DIR (npm start prints it), or say --aws for the engines that the environment names`,
  )
}

const running = async (data: string): Promise<MeshFile | undefined> => {
  const file = await readMeshFile(data)
  return file && isAlive(file.pid) ? file : undefined
}

const embedded = async (data: string, file: MeshFile, { operations }: Where): Promise<OpenMesh> => ({
  title: `the mesh in ${data}, process ${file.pid}, ${file.url}`,
  flags: [...(data === DEFAULT_DATA ? [] : [formatFlag('data', data)]), ...operations.map(url => formatFlag('operations', url))]
    .map(flag => ` ${flag}`)
    .join(''),
  operations: operations.length > 0 ? operations : [file.operations],
  ...(await openEngines(readConfig(environment({ EMBEDDED: 'true', ...file.config }), mesh))),
  processes: async () => {
    const now = await running(data)
    return now?.pid === file.pid ? now.processes : undefined
  },
})

const onAws = async ({ operations }: Where): Promise<OpenMesh> => {
  const config = readConfig(environment({}), mesh)
  const at = config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL ?? `AWS in ${config.AWS_REGION}`
  return {
    title: `the mesh ${config.PREFIX}* at ${at}`,
    flags: ['--aws', ...operations.map(url => formatFlag('operations', url))].map(flag => ` ${flag}`).join(''),
    operations,
    ...(await openEngines(config)),
    processes: async () => [],
  }
}

const openEngines = async (
  config: Config,
): Promise<Pick<OpenMesh, 'store' | 'mailbox' | 'findMissingRoutes' | 'backplane' | 'jobs' | 'clock' | 'close'>> => {
  const clients: Clients = openClients(config)
  const prefix = config.PREFIX
  const backplane = await openBackplane(config)
  const queueUrl = queueUrls(clients.sqs, prefix)
  const mailbox = sqsMailbox({ sqs: clients.sqs, polling: clients.sqsPolling, queueUrl })
  const { mailboxes, subscribers } = mesh.topology('')
  const home = mailboxes[0]?.queue ?? ''
  const jobsUrl = config.JOBS_URL ?? config.REDIS_URL
  const jobs = jobsUrl === undefined ? undefined : bullmqJobs({ url: jobsUrl, prefix, looks: true })
  return {
    store: dynamoStore({ client: clients.dynamodb, prefix }),
    mailbox,
    findMissingRoutes: findMissingRoutes({
      sns: clients.sns,
      topicArn: topicArns(clients.sqs, prefix, home, queueUrl),
      mailbox,
      subscribers,
      prefix,
    }),
    backplane,
    jobs,
    clock: systemClock,
    close: async () => {
      await jobs?.close()
      if (isBackplane(backplane)) await backplane.close()
      clients.close()
    },
  }
}

/** From outside a cloud's network its Redis cannot be reached, and most can be done without it. */
const openBackplane = async ({ REDIS_URL: url, PREFIX: prefix }: Config): Promise<Backplane | NoBackplane> => {
  if (url === undefined) return { none: 'REDIS_URL is not set' }
  try {
    return await redisBackplane({ url, prefix, log: pino({ level: 'silent' }) })
  } catch (error) {
    return { unfit: errorMessage(error) }
  }
}
