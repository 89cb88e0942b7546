import { queueUrls, topicArns } from '../../actors/kernel/ports/aws/names.ts'
import { busConformance, TOPOLOGY } from '../../actors/kernel/ports/events/conformance.ts'
import { snsBus } from '../../actors/kernel/ports/events/sns.ts'
import { sqsMailbox } from '../../actors/kernel/ports/mailbox/sqs.ts'
import { provision } from '../../deploy/provision/main.ts'
import { hearAll } from '../hear-all.ts'
import { witnessClients } from './reached.ts'

const topics = [...new Set(TOPOLOGY.subscribers.flatMap(h => h.subscriptions.map(s => s.topic)))]

// Provisioned as the mesh is: with a policy on each queue, which the witness holds its topics to.
busConformance('MiniStack', async () => {
  const clients = witnessClients()
  const { sqs, sqsPolling: polling, sns } = clients
  const topology = { tables: [], mailboxes: [], topics: topics.map(topic => ({ actor: topic, topic })), ...TOPOLOGY }
  await provision({ clients, topology })
  const queueUrl = queueUrls(sqs, '')
  const { heard, stop } = hearAll(sqsMailbox({ sqs, polling, queueUrl, stopMs: 100 }))
  return {
    bus: snsBus({ sns, topicArn: topicArns(sqs, '', 'x-events', queueUrl) }),
    heard,
    close: async () => {
      await stop()
      clients.close()
    },
  }
})
