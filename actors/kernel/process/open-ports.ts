import type { Logger } from 'pino'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import type { Config } from '../config/config.ts'
import type { OnCall } from '../ports/aws/calls.ts'
import { type Clients, openClients } from '../ports/aws/clients.ts'
import { queueUrls, topicArns } from '../ports/aws/names.ts'
import { redisBackplane } from '../ports/backplane/redis.ts'
import { systemClock } from '../ports/clock/system.ts'
import { type FindMissingRoutes, findMissingRoutes } from '../ports/events/routes.ts'
import { snsBus } from '../ports/events/sns.ts'
import { bullmqJobs } from '../ports/jobs/bullmq.ts'
import { POLL_END_MS, sqsMailbox } from '../ports/mailbox/sqs.ts'
import { dynamoStore } from '../ports/store/dynamodb.ts'
import type { Ports } from './ports.ts'

/** Kept of a worker's time to go for the handling of what its last polls bring. */
const HANDLING_MS = 1_500

export type OpenPorts = {
  readonly ports: Ports
  readonly clients: Clients
  /** Of events between all actors. */
  readonly findMissingRoutes: FindMissingRoutes
  readonly close: () => Promise<void>
}

/**
 * The ports on their real engines, wherever the configuration says these are.
 * @param onCall told of every request to an engine
 * @throws when no backplane is configured, or the one there is would evict what it is given
 */
export const openPorts = async (mesh: Mesh, config: Config, log: Logger, onCall?: OnCall): Promise<OpenPorts> => {
  if (config.REDIS_URL === undefined)
    throw new Error('REDIS_URL is not set: edge and workers need a Redis to tell each other replies and live events')
  const prefix = config.PREFIX
  const clients = openClients(config, onCall ? { onCall } : {})
  const queueUrl = queueUrls(clients.sqs, prefix)
  const { mailboxes, subscribers } = mesh.topology('')
  const [home] = mailboxes
  if (!home) throw new Error('the mesh has no mailbox')
  const stopMs = Math.min(POLL_END_MS, Math.max(0, config.WORKER_DRAIN_MS - HANDLING_MS))
  const backplane = await redisBackplane({ url: config.REDIS_URL, prefix, log })
  const jobs = bullmqJobs({ url: config.JOBS_URL ?? config.REDIS_URL, prefix, log })
  const topicArn = topicArns(clients.sqs, prefix, home.queue, queueUrl)
  const mailbox = sqsMailbox({ sqs: clients.sqs, polling: clients.sqsPolling, queueUrl, log, stopMs })
  return {
    ports: {
      store: dynamoStore({ client: clients.dynamodb, prefix }),
      mailbox,
      events: snsBus({ sns: clients.sns, topicArn }),
      backplane,
      jobs,
      clock: systemClock,
    },
    clients,
    findMissingRoutes: findMissingRoutes({ sns: clients.sns, topicArn, mailbox, subscribers, prefix }),
    close: async () => {
      await jobs.close()
      await backplane.close()
      clients.close()
    },
  }
}
