import { pathToFileURL } from 'node:url'
import { type Config, environment, readConfig, silenceNodeNotice } from '../../actors/kernel/config/config.ts'
import { type Clients, openClients } from '../../actors/kernel/ports/aws/clients.ts'
import { errorMessage } from '../../actors/kernel/ports/errors/error-message.ts'
import { commandQueue, eventQueue, type Topology } from '../../contracts/derive/topology.ts'
import { mesh } from '../../contracts/mesh.ts'
import { existingQueues, type Home, provisionEventQueue, provisionMailbox } from './queues.ts'
import { type Done, spoken } from './report.ts'
import { AWS_PACE, type Pace } from './retry.ts'
import { provisionTables } from './tables.ts'
import { provisionSubscriptions, provisionTopics, type Topic } from './topics.ts'
export type ProvisionOptions = {
  readonly clients: Pick<Clients, 'dynamodb' | 'sqs' | 'sns'>
  readonly topology: Topology
  /** With what only pays off there: point-in-time recovery. */
  readonly production?: boolean
  /** That of AWS, unless the engines are known to be faster. */
  readonly pace?: Pace
}

const provisionMessaging = async ({
  clients: { sqs, sns },
  topology: { mailboxes, topics, subscribers },
  pace = AWS_PACE,
}: ProvisionOptions): Promise<Done[]> => {
  const [made, existing] = await Promise.all([
    provisionTopics(
      sns,
      topics.map(t => t.topic),
      pace,
    ),
    existingQueues(
      sqs,
      [...mailboxes, ...subscribers].flatMap(q => [q.queue, q.dead]),
      pace,
    ),
  ])
  const home: Home = { sqs, existing, arnOf: arnBeside(made), pace }
  const queues = await Promise.all([
    ...mailboxes.map(mailbox => provisionMailbox(home, mailbox)),
    ...subscribers.map(subscriber => {
      const heard = new Set(subscriber.subscriptions.map(s => s.topic))
      const arns = made.flatMap(topic => (heard.has(topic.name) ? [topic.arn] : []))
      return provisionEventQueue(home, subscriber, arns)
    }),
  ])
  // Also those of actors that heard something once and nothing now.
  const ours = new Set([
    ...subscribers.map(h => h.queue),
    ...mailboxes.map(m => `${m.queue.slice(0, -commandQueue(m.actor).length)}${eventQueue(m.actor)}`),
  ])
  const subscriptions = await Promise.all(
    made.map(topic => {
      const wanted = subscribers.flatMap(({ queue, subscriptions }) =>
        subscriptions.flatMap(s => (s.topic === topic.name ? [{ queue, queueArn: home.arnOf(queue), types: s.types }] : [])),
      )
      return provisionSubscriptions(sns, topic, wanted, ours, pace)
    }),
  )
  return [...queues.flat(), ...made.map(t => t.done), ...subscriptions.flat()]
}

/** Queues lie in the partition, region and account of the topics, because one set of credentials makes both. */
const arnBeside = ([topic]: readonly Topic[]): Home['arnOf'] => {
  const [, partition, , region, account] = topic?.arn.split(':') ?? []
  if (!partition || !region || !account) throw new Error(`the mesh has no topic to tell its account by (${topic?.arn ?? 'none'})`)
  return queue => `arn:${partition}:sqs:${region}:${account}:${queue}`
}

/**
 * Brings tables, queues, topics and subscriptions to what the mesh's declaration says. A second run changes nothing; what is not in the mesh any
 * more is left alone, save subscriptions, which would go on delivering. Resolves when everything can be used.
 */
export const provision = async (options: ProvisionOptions): Promise<Done[]> => {
  const [tables, messaging] = await Promise.all([
    provisionTables(options.clients.dynamodb, options.topology.tables, options.production ?? false, options.pace),
    provisionMessaging(options),
  ])
  return [...tables, ...messaging]
}

/** Provisions what a configuration names, and says what was done. */
export const runProvision = async (config: Config): Promise<void> => {
  silenceNodeNotice()
  const clients = openClients(config)
  const { AWS_REGION: region, PREFIX: prefix } = config
  const places = [config.AWS_ENDPOINT_URL, config.AWS_ENDPOINT_URL_DYNAMODB, config.AWS_ENDPOINT_URL_SQS, config.AWS_ENDPOINT_URL_SNS]
  const at = [...new Set(places.filter(place => place !== undefined))].join(', ') || 'AWS'
  console.log(`Provisioning ${prefix}* at ${at} in ${region}\n`)
  try {
    console.log(spoken(await provision({ clients, topology: mesh.topology(prefix), production: config.NODE_ENV === 'production' })))
  } finally {
    clients.close()
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  runProvision(readConfig(environment({}), mesh)).catch((error: unknown) => {
    console.error(`Provisioning failed: ${errorMessage(error)}`)
    process.exit(1)
  })
