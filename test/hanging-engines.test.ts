import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Clients, openClients } from '../actors/kernel/ports/aws/clients.ts'
import { queueUrls } from '../actors/kernel/ports/aws/names.ts'
import { sqsMailbox } from '../actors/kernel/ports/mailbox/sqs.ts'
import { dynamoStore } from '../actors/kernel/ports/store/dynamodb.ts'
import { user } from '../contracts/users.ts'
import { json, memoryPorts, testEdge, viewsWith } from '../edge/testing/edge.ts'

/** Engines as they are when their process is stopped: connections are made, requests taken, nothing is answered. */
const asked: string[] = []
const server = createServer(request => {
  asked.push(String(request.headers['x-amz-target']))
  request.resume()
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
  server.closeAllConnections()
  server.close()
})

test('with engines that hang, everybody is answered while the engines are still being asked', { timeout: 30_000 }, async () => {
  const { dynamodb, sqs, sqsPolling: polling } = clients
  const over: string[] = []
  const store = dynamoStore({ client: dynamodb, prefix: '' })
  const mailbox = sqsMailbox({ sqs, polling, queueUrl: queueUrls(sqs, '') })
  const noted = <A extends unknown[], R>(what: string, call: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => call(...args).finally(() => over.push(what))
  }
  const ports = {
    ...memoryPorts(),
    store: { get: noted('get', store.get), query: noted('query', store.query), commit: noted('commit', store.commit) },
    mailbox: { ...mailbox, send: noted('send', mailbox.send) },
  }
  const views = viewsWith({
    'timeline.get': async ({ by }, read) => {
      await read.get(user.at({ userId: by }))
      return { refused: 'not-found' }
    },
  })
  const { call, edge } = await testEdge({ ports, views })
  const write = (headers: Readonly<Record<string, string>>) =>
    call('POST', '/v1/posts', { body: { title: 'T', content: 'C' }, headers: { prefer: 'wait=2', ...headers } })
  const answers = Promise.all([
    write({}),
    write({ 'idempotency-key': 'k' }),
    call('GET', '/health/ready'),
    call('GET', '/v1/timeline'),
  ]).then(all => ({ all, over: [...over] }))
  const { all, over: before } = await answers
  expect(all.map(a => a.status)).toEqual([503, 503, 503, 503])
  expect(json(all[1])).toMatchObject({ code: 'overloaded' })
  // No call to an engine had ended by then, with an error or otherwise: each has three tries of 5 s.
  expect(before).toEqual([])
  expect(new Set(asked.map(target => target.split('.')[0]))).toEqual(new Set(['AmazonSQS', 'DynamoDB_20120810']))
  await edge.close()
})
