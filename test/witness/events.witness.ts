import { queueUrls, topicArns } from '../../actors/kernel/aws/names.ts'
import { busConformance, TOPOLOGY } from '../../actors/kernel/events/conformance.ts'
import { snsBus } from '../../actors/kernel/events/sns.ts'
import { sqsMailbox } from '../../actors/kernel/mailbox/sqs.ts'
import { provision } from '../../deploy/provision.ts'
import { hearAll } from '../hear-all.ts'
import { witnessClients } from './reached.ts'

const topics = [...new Set(TOPOLOGY.hearings.flatMap(h => h.subscriptions.map(s => s.topic)))]

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
