import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { PublishCommand } from '@aws-sdk/client-sns'
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withEngineCalls } from '../tracing/span.ts'
import type { OnCall } from './calls.ts'
import { type Clients, openClients } from './clients.ts'

type Fault = (request: IncomingMessage, response: ServerResponse) => void

/** An engine that does as it is told, request by request; told nothing, it answers `{}`. */
let faults: Fault[] = []
let bodies: string[] = []
const engine = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    bodies.push(Buffer.concat(chunks).toString())
    const fault = faults.shift() ?? fine('{}')
    fault(request, response)
  })
})

const json = (status: number, body: string, headers: Record<string, string> = {}): Fault => {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r', ...headers }).end(body)
  }
}
const fine = (body: string) => json(200, body)
const refused = (type: string) => json(400, JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'so it is' }))
const hang: Fault = () => {}
const reset: Fault = request => request.socket.resetAndDestroy()
const hangUp: Fault = request => request.socket.destroy()
const page =
  (status: number): Fault =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end('<html><body>Service Unavailable</body></html>')
  }
const nothing: Fault = (_, response) => void response.writeHead(200, { 'content-length': '0' }).end()
/** Sends the head and a byte every 20 ms, so that there never is a silence. */
const drip: Fault = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '100000' })
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}
/** Promises 100 bytes and closes the connection after the first few. */
const cut: Fault = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '100' })
  response.write('{"Item":', () => request.socket.destroy())
}
const noHttp: Fault = request => void request.socket.end('what is this?\r\n\r\n')

let calls: Parameters<OnCall>[] = []
let clients: Clients
const open = (limits = { requestMs: 500 }) => {
  const { port } = engine.address() as AddressInfo
  const config = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, EMBEDDED: true }
  return openClients(config, { limits, pollingLimits: limits, onCall: (...call) => calls.push(call) })
}

beforeAll(async () => {
  engine.listen(0, '127.0.0.1')
  await once(engine, 'listening')
})
afterAll(async () => {
  engine.closeAllConnections()
  engine.close()
  await once(engine, 'close')
})
beforeEach(() => {
  faults = []
  bodies = []
  calls = []
  clients = open()
})
afterEach(() => clients.close())

const get = () => clients.dynamodb.send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } }))
const put = () => clients.dynamodb.send(new PutItemCommand({ TableName: 't', Item: { pk: { S: 'a' } } }))

describe('a fault that passes', () => {
  const passing: Record<string, Fault> = {
    'an engine that is silent': hang,
    'a reset': reset,
    'a connection closed without an answer': hangUp,
    'an answer cut off': cut,
    'a body that drips': drip,
    'a 500': json(500, '{"__type":"InternalServerError","message":"oops"}'),
    'a 500 without a body': json(500, ''),
    'an HTML 503': page(503),
    'an HTML 502': page(502),
    'an HTML page with status 200': page(200),
    'a 200 with nothing in it': nothing,
    'something that is not HTTP': noHttp,
    throttling: refused('ThrottlingException'),
  }
  test.for(Object.entries(passing))('%s: the call is tried again and answered', async ([, fault]) => {
    // On a busy machine the good answer may be too late once.
    faults = [fault, ...Array(2).fill(fine('{"Item":{"pk":{"S":"a"}}}'))]
    expect((await get()).Item).toEqual({ pk: { S: 'a' } })
    expect(bodies.length).toBeGreaterThan(1)
    expect(bodies[1]).toBe(bodies[0])
  })

  test('the second try carries its own signature, the same idempotency key and body', async () => {
    const seen: IncomingMessage['headers'][] = []
    const noting =
      (fault: Fault): Fault =>
      (request, response) => {
        seen.push(request.headers)
        fault(request, response)
      }
    faults = [noting(page(503)), noting(fine('{}'))]
    await put()
    expect(seen.map(h => h['amz-sdk-request'])).toEqual(['attempt=1; max=3', 'attempt=2; max=3'])
    expect(seen[0]?.['amz-sdk-invocation-id']).toBe(seen[1]?.['amz-sdk-invocation-id'])
    const [first, second] = seen.map(h => h.authorization)
    expect(first).toMatch(
      /^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/us-east-1\/dynamodb\/aws4_request, SignedHeaders=.*host.*x-amz-date.*, Signature=[0-9a-f]{64}$/,
    )
    expect(second).not.toBe(first)
  })
})

describe('a fault that stays', () => {
  const staying: Record<string, [Fault, string]> = {
    'an engine that is silent': [hang, 'TimeoutError'],
    'a body that drips': [drip, 'TimeoutError'],
    'a reset': [reset, 'TimeoutError'],
    'an HTML 503': [page(503), 'TimeoutError'],
    'a 200 with nothing in it': [nothing, 'TimeoutError'],
    'a 500': [json(500, '{"__type":"InternalServerError"}'), 'InternalServerError'],
    throttling: [refused('ProvisionedThroughputExceededException'), 'ProvisionedThroughputExceededException'],
  }
  test.for(Object.entries(staying))('%s: the call ends with an error after three tries', async ([, [fault, name]]) => {
    faults = Array(5).fill(fault)
    await expect(put()).rejects.toMatchObject({ name })
    expect(bodies).toHaveLength(3)
    expect(calls).toEqual([['dynamodb:PutItem', expect.any(Number), false]])
  })

  test('nobody listening: the error says where', async () => {
    const config = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', EMBEDDED: true }
    const lost = openClients(config)
    const sent = lost.sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:t', Message: 'm' }))
    await expect(sent).rejects.toThrow('the connection to http://127.0.0.1:9 failed: ECONNREFUSED')
    lost.close()
  })

  test('SNS reads no page as a success', async () => {
    faults = Array(3).fill(page(200))
    const sent = clients.sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:t', Message: 'm' }))
    await expect(sent).rejects.toThrow('is no answer of')
  })
})

describe('an answer', () => {
  test('that refuses is not tried again, and counts as answered', async () => {
    faults = [refused('ConditionalCheckFailedException')]
    await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
    expect(bodies).toHaveLength(1)
    expect(calls).toEqual([['dynamodb:PutItem', expect.any(Number), true]])
  })

  test('of several megabytes in many chunks arrives whole', async () => {
    const item = { pk: { S: 'é€😀'.repeat(500_000) } }
    faults = [fine(JSON.stringify({ Item: item }))]
    clients.close()
    clients = open({ requestMs: 20_000 })
    expect((await get()).Item).toEqual(item)
  })

  test('may be empty where the engine says so', async () => {
    faults = [fine('')]
    await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: 'http://127.0.0.1/q', ReceiptHandle: 'h' }))
    expect(bodies).toHaveLength(1)
  })

  test('with another MD5 than the SDK computes is taken', async () => {
    faults = [fine('{"MessageId":"m","MD5OfMessageBody":"00000000000000000000000000000000"}')]
    const sent = await clients.sqs.send(new SendMessageCommand({ QueueUrl: 'http://127.0.0.1/q', MessageBody: 'm' }))
    expect(sent.MessageId).toBe('m')
  })
})

describe('the connections', () => {
  test('are bounded, and a request that waits for one too long ends in time', async () => {
    clients.close()
    clients = openClients(
      { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: `http://127.0.0.1:${(engine.address() as AddressInfo).port}`, EMBEDDED: true },
      { limits: { connections: 2, requestMs: 300 } },
    )
    faults = Array(100).fill(hang)
    const settled = await Promise.allSettled(Array.from({ length: 6 }, get))
    expect(settled.map(s => (s.status === 'rejected' ? s.reason.name : s.status))).toEqual(Array(6).fill('TimeoutError'))
  })

  test('do not carry a request any more whose caller gave up while it waited for one', async () => {
    clients.close()
    clients = openClients(
      { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: `http://127.0.0.1:${(engine.address() as AddressInfo).port}`, EMBEDDED: true },
      { limits: { connections: 1, requestMs: 20_000 } },
    )
    const putOf = (TableName: string) => new PutItemCommand({ TableName, Item: { pk: { S: 'a' } } })
    const controller = new AbortController()
    let given: Promise<unknown> | undefined
    faults = [
      async (request, response) => {
        given = clients.dynamodb.send(putOf('given-up'), { abortSignal: controller.signal })
        // Time to be signed, and to take its place behind this one.
        for (let i = 0; i < 20; i++) await new Promise(setImmediate)
        controller.abort()
        await given.catch(() => {})
        fine('{}')(request, response)
      },
    ]
    await clients.dynamodb.send(putOf('first'))
    await clients.dynamodb.send(putOf('last'))
    await expect(given).rejects.toMatchObject({ name: 'AbortError' })
    expect(bodies.map(body => JSON.parse(body).TableName)).toEqual(['first', 'last'])
  })

  test('are used again after an answer, but not after a request that timed out', async () => {
    const sockets = new Set<unknown>()
    const noting: Fault = (request, response) => {
      sockets.add(request.socket)
      fine('{}')(request, response)
    }
    faults = Array(10).fill(noting)
    for (let i = 0; i < 10; i++) await get()
    // The next request may leave just before the connection of the last one counts as free.
    expect(sockets.size).toBeLessThanOrEqual(2)
    let hung: unknown
    faults = [request => (hung = request.socket), ...Array(10).fill(noting)]
    sockets.clear()
    for (let i = 0; i < 10; i++) await get()
    expect(sockets).not.toContain(hung)
  })

  test('end a request with its signal, before and after it was sent, without another try', async () => {
    const poll = new ReceiveMessageCommand({ QueueUrl: 'http://127.0.0.1/q', WaitTimeSeconds: 20 })
    await expect(clients.sqsPolling.send(poll, { abortSignal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(bodies).toHaveLength(0)
    const controller = new AbortController()
    faults = [() => controller.abort()]
    await expect(clients.sqsPolling.send(poll, { abortSignal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(bodies).toHaveLength(1)
  })

  test('end requests under way when the clients are closed', async () => {
    faults = [() => clients.close()]
    await expect(get()).rejects.toThrow()
    expect(bodies).toHaveLength(1)
  })
})

describe('every call', () => {
  test('is noted in its span with its kind, tries included', async () => {
    faults = [json(500, '{}'), fine('{"Responses":{}}'), fine('{}')]
    const { engine: noted } = await withEngineCalls(async () => {
      await clients.dynamodb.send(new BatchGetItemCommand({ RequestItems: { t: { Keys: [{ pk: { S: 'a' } }] } } }))
      await clients.sqsPolling.send(new ReceiveMessageCommand({ QueueUrl: 'http://127.0.0.1/q' }))
    })
    expect(noted.map(call => call.kind)).toEqual(['dynamodb:BatchGetItem', 'sqs:ReceiveMessage'])
    expect(calls.map(([kind, , ok]) => [kind, ok])).toEqual([
      ['dynamodb:BatchGetItem', true],
      ['sqs:ReceiveMessage', true],
    ])
  })
})
