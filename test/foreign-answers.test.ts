import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clients, openClients } from '../actors/kernel/ports/aws/clients.ts'
import { snsBus } from '../actors/kernel/ports/events/sns.ts'
import { sqsMailbox } from '../actors/kernel/ports/mailbox/sqs.ts'
import { sqsAcks, sqsExtends } from '../actors/kernel/ports/mailbox/sqs-batches.ts'

/** Something between us and the engines that answers everything with 200, and knows nothing of it. */
let body = ''
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/plain' }).end(body))
})
let clients: Clients
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: endpoint, EMBEDDED: true })
})
afterAll(() => {
  clients.close()
  server.close()
})

describe.each(['{}', '<html><body>Back soon</body></html>', 'OK'])('a 200 that says %s and names no message', answer => {
  const url = async () => 'http://queue'
  test('is no sent message, no acknowledgement and no visibility', async () => {
    body = answer
    const { sqs, sqsPolling: polling } = clients
    const queue = { name: 'q.fifo', sqs, url }
    const mailbox = sqsMailbox({ sqs, polling, queueUrl: url })
    const tries = [
      mailbox.send('q.fifo', { id: '1', group: 'g', body: 'b' }),
      sqsAcks(queue)('a handle'),
      sqsExtends(queue)({ handle: 'a handle', seconds: 10 }),
    ]
    expect((await Promise.allSettled(tries)).map(t => t.status)).toEqual(['rejected', 'rejected', 'rejected'])
  })

  test('is no published event', async () => {
    body = answer
    const bus = snsBus({ sns: clients.sns, topicArn: async () => 'arn:aws:sns:us-east-1:000000000000:t' })
    await expect(bus.publish([{ topic: 't', id: '1', type: 't', body: 'b' }])).rejects.toThrow()
  })
})
