import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyTurnedAway } from './callers.ts'
import { startDynamoDb } from './dynamodb/server.ts'
import { receive } from './postgres/reception.ts'
import { startRedis } from './redis/start.ts'
import { startSqsSns } from './sqs-sns/start.ts'
import { askAs } from './testing/ask-as.ts'

const served = ['127.0.0.1', '127.0.0.1:4566', 'localhost', 'LOCALHOST:1', '[::1]', '[::1]:65535']
const foreign = [
  '',
  'evil.example',
  'localhost.evil.example',
  'localhost:80.evil.example',
  '127.0.0.1.nip.io:80',
  '0.0.0.0',
  '192.168.0.1',
  '::1',
  'user@localhost',
  'localhost:',
  'localhost.',
]

describe('a caller', () => {
  test.each(served)('of the host %s is served', host => expect(whyTurnedAway({ host })).toBeUndefined())
  test.each(foreign)('of the host %j is turned away', host => expect(whyTurnedAway({ host })).toMatch(/host/))
  test('who names no host is turned away', () => expect(whyTurnedAway({})).toMatch(/host/))

  test.each(['https://evil.example', 'http://localhost:3000', 'http://127.0.0.1:4566', 'null', ''])(
    'who is a page (%j) is turned away',
    origin => expect(whyTurnedAway({ host: 'localhost', origin })).toMatch(/pages/),
  )
  test('who is a page of an origin that may call is served', () => {
    const mayCall = (origin: string) => origin === 'http://localhost:3000'
    expect(whyTurnedAway({ host: 'localhost', origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' }, mayCall)).toBeUndefined()
    expect(whyTurnedAway({ host: 'localhost', origin: 'http://localhost:3001' }, mayCall)).toMatch(/3001/)
    expect(whyTurnedAway({ host: 'evil.example', origin: 'http://localhost:3000' }, mayCall)).toMatch(/evil/)
  })
  test('who is a page that says no origin is turned away, the address bar is not', () => {
    for (const site of ['cross-site', 'same-site', 'same-origin'])
      expect(whyTurnedAway({ host: 'localhost', 'sec-fetch-site': site })).toMatch(/pages/)
    expect(whyTurnedAway({ host: 'localhost', 'sec-fetch-site': 'none' })).toBeUndefined()
  })
})

const json = { 'content-type': 'application/x-amz-json-1.0' }
const engines = [
  { name: 'SQS', start: startSqsSns, headers: { ...json, 'x-amz-target': 'AmazonSQS.ListQueues' }, body: '{}' },
  { name: 'SNS', start: startSqsSns, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=ListTopics' },
  { name: 'DynamoDB', start: startDynamoDb, headers: { ...json, 'x-amz-target': 'DynamoDB_20120810.ListTables' }, body: '{}' },
]
describe.each(engines)('the embedded $name', ({ start, headers, body }) => {
  let engine: { endpoint: string; close(): Promise<void> }
  beforeAll(async () => {
    engine = await start()
  })
  afterAll(() => engine.close())
  const ask = (more: Record<string, string>) => askAs(new URL(engine.endpoint).port, { ...headers, ...more }, body)

  test('serves this machine', async () => {
    for (const host of ['localhost', '127.0.0.1:1', '[::1]']) expect(await ask({ host })).toBe(200)
  })
  test('is called by no page', async () => {
    for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) expect(await ask({ origin })).toBe(403)
    expect(await ask({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(
      await askAs(
        new URL(engine.endpoint).port,
        { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' },
        '',
        'OPTIONS',
      ),
    ).toBe(403)
  })
  test('is not called under another name', async () => {
    expect(await ask({ host: 'evil.example' })).toBe(403)
    expect(await askAs(new URL(engine.endpoint).port, { host: 'evil.example' }, '', 'GET', '/health')).toBe(403)
  })
})

/** A browser's POST to a port that speaks something else, in pieces as large bodies come. */
const postTo = async (port: number, pieces: readonly string[]) => {
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  socket.on('data', () => {})
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n')
  for (const piece of pieces) {
    await new Promise(setImmediate)
    if (!socket.destroyed) socket.write(piece)
  }
  await closed
}

test('the embedded Redis does nothing of what stands in an HTTP request', async () => {
  const redis = await startRedis()
  const port = Number(new URL(redis.url).port)
  const set = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n'
  await postTo(port, [set, set, set])
  const socket = connect(port, '127.0.0.1')
  const answer = once(socket, 'data')
  socket.write('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n')
  expect(String((await answer)[0])).toBe('$-1\r\n')
  socket.destroy()
  await redis.close()
})

test('the embedded PostgreSQL lets nobody in who speaks HTTP', async () => {
  let arrived = 0
  const server = createServer(socket => {
    socket.on('error', () => {})
    receive(socket, () => void arrived++)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await postTo(typeof address === 'object' && address ? address.port : 0, ['\0\0\0\x08\0\x03\0\0', 'Q\0\0\0\x05\0'])
  expect(arrived).toBe(0)
  server.close()
})
