import type { Logger } from 'pino'
import type { Mesh } from '../../../contracts/derive/mesh.ts'
import type { Config } from '../config/config.ts'
import type { OnCall } from '../ports/aws/calls.ts'
import { type Clients, openClients } from '../ports/aws/clients.ts'
import { queueUrls, topicArns } from '../ports/aws/names.ts'
import { redisBackplane } from '../ports/backplane/redis.ts'
import { systemClock } from '../ports/clock/system.ts'
import { snsBus } from '../ports/events/sns.ts'
import { bullmqJobs } from '../ports/jobs/bullmq.ts'
import { sqsMailbox } from '../ports/mailbox/sqs.ts'
import { dynamoStore } from '../ports/store/dynamodb.ts'
import type { Ports } from './ports.ts'

export type OpenPorts = { readonly ports: Ports; readonly clients: Clients; readonly close: () => Promise<void> }

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
  const [home] = mesh.topology('').mailboxes
  if (!home) throw new Error('the mesh has no mailbox')
  const backplane = await redisBackplane({ url: config.REDIS_URL, prefix, log })
  const jobs = bullmqJobs({ url: config.JOBS_URL ?? config.REDIS_URL, prefix, log })
  return {
    ports: {
      store: dynamoStore({ client: clients.dynamodb, prefix }),
      mailbox: sqsMailbox({ sqs: clients.sqs, polling: clients.sqsPolling, queueUrl, log }),
      events: snsBus({ sns: clients.sns, topicArn: topicArns(clients.sqs, prefix, home.queue, queueUrl) }),
      backplane,
      jobs,
      clock: systemClock,
    },
    clients,
    close: async () => {
      await jobs.close()
      await backplane.close()
      clients.close()
    },
  }
}
