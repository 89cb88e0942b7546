import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  PutItemCommand,
  QueryCommand,
  TransactGetItemsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import db from 'dynalite/db/index.js'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { cancelled, refused } from './conformance/refused.ts'
import { absent, add, connect, get, key, n, prepare, put, queryIndex, type Subject, s, tableOf, transact } from './conformance/subject.ts'
import { type DynamoDb, type DynamoDbOptions, startDynamoDb } from './server.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynamodb-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Starts one that is closed after the test, with a client of its own. */
async function start(options: DynamoDbOptions = {}): Promise<{ server: DynamoDb; subject: Subject }> {
  const server = await startDynamoDb(options)
  const client = connect(server.endpoint)
  onTestFinished(async () => {
    client.destroy()
    await server.close()
  })
  return { server, subject: { engine: 'embedded', client, table: 'posts' } }
}

const post = (endpoint: string, target: string, body: string) =>
  fetch(endpoint, { method: 'POST', headers: { 'X-Amz-Target': `DynamoDB_20120810.${target}` }, body })

describe('on disk', () => {
  test('a restart from the same folder, which need not exist, keeps tables, items, indexes, settings and tokens', async () => {
    const path = join(folder, 'not', 'there', 'yet')
    const ClientRequestToken = randomUUID()
    const before = await start({ path })
    const t = before.subject
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    await t.client.send(
      new UpdateTimeToLiveCommand({ TableName: t.table, TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true } }),
    )
    await transact(t, [add(t, key('count'), 1), put(t, { ...key('a'), author: s('ann'), posted: n(1) })], { ClientRequestToken })
    await before.server.close()

    const after = (await start({ path })).subject
    await transact(after, [add(after, key('count'), 1), put(after, { ...key('a'), author: s('ann'), posted: n(1) })], {
      ClientRequestToken,
    })
    expect(await get(after, key('count'))).toEqual({ ...key('count'), n: n(1) })
    expect(await queryIndex(after, 'by-author', 'author', 'ann')).toHaveLength(1)
    const { TimeToLiveDescription } = await after.client.send(new DescribeTimeToLiveCommand({ TableName: after.table }))
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' })
  })

  test('a folder in use is refused by name, and free again after close', async () => {
    const { server } = await start({ path: folder })
    await expect(startDynamoDb({ path: folder })).rejects.toThrow(
      `Cannot open the DynamoDB data in ${folder}: another mesh is running on it`,
    )
    await server.close()
    await start({ path: folder })
  })

  test('a folder that cannot be opened is refused by name', async () => {
    await expect(startDynamoDb({ path: '/dev/null/data' })).rejects.toThrow('/dev/null/data')
  })

  test('what a kill left half-way is finished at the next start: a table being made is there, one being deleted is gone with its items', async () => {
    const before = await start({ path: folder })
    const made = await prepare('embedded', before.subject.client)
    const deleted = await prepare('embedded', before.subject.client)
    await transact(made, [put(made, key('a')), put(deleted, key('a'))])
    await before.server.close()
    await setStatus({ [made.table]: 'CREATING', [deleted.table]: 'DELETING' })

    const { client } = (await start({ path: folder })).subject
    expect(await get({ ...made, client }, key('a'))).toEqual(key('a'))
    expect(await refused(get({ ...deleted, client }, key('a')))).toMatchObject({ name: 'ResourceNotFoundException' })
    await client.send(new CreateTableCommand(tableOf(deleted.table)))
    expect(await get({ ...deleted, client }, key('a'))).toBeUndefined()
  })

  /** Writes the status as dynalite does before the second half of a change. */
  async function setStatus(tables: Record<string, string>): Promise<void> {
    const level = db.create({ path: folder, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }).db
    await level.open()
    for (const [table, TableStatus] of Object.entries(tables))
      await level.put(`table~${table}`, { ...level.getSync<object>(`table~${table}`), TableStatus })
    await level.close()
  }
})

describe('closing', () => {
  test('ends at once with idle, half-sent and unread connections, and answers what it is working on', async () => {
    const { server, subject: t } = await start({ path: folder })
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    const { port } = new URL(server.endpoint)
    const halfSent = connectSocket(Number(port), '127.0.0.1')
    await new Promise(resolve => halfSent.once('connect', resolve))
    halfSent.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{')
    const cut = new Promise(resolve => halfSent.on('error', () => {}).once('close', resolve))

    const writes = Array.from({ length: 50 }, (_, i) => transact(t, [put(t, key(`${i}`)), add(t, key('count'), 1)]).then(() => i))
    await Promise.any(writes)
    await server.close()
    const answered = (await Promise.allSettled(writes)).flatMap(write => (write.status === 'fulfilled' ? [write.value] : []))
    await cut

    const after = (await start({ path: folder })).subject
    expect(answered.length).toBeGreaterThan(0)
    for (const i of answered) expect(await get(after, key(`${i}`))).toEqual(key(`${i}`))
  })

  test('twice is once', async () => {
    const { server } = await start()
    await Promise.all([server.close(), server.close()])
    await server.close()
  })
})

describe('injected conflicts', () => {
  test('cancel transactions with TransactionConflict for the first item, refuse single writes, and write nothing', async () => {
    let on = false
    const asked: string[] = []
    const { subject: t } = await start({ conflict: operation => (on ? asked.push(operation) > 0 : false) })
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    const ClientRequestToken = randomUUID()
    on = true
    const { message } = await cancelled(transact(t, [add(t, key('a'), 1), add(t, key('b'), 1)], { ClientRequestToken }), [
      'TransactionConflict',
      'None',
    ])
    expect(message).toContain('[TransactionConflict, None]')
    const read = new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: t.table, Key: key('a') } }] })
    await cancelled(t.client.send(read), ['TransactionConflict'])
    expect(await refused(t.client.send(new PutItemCommand({ TableName: t.table, Item: key('a') })))).toMatchObject({
      name: 'TransactionConflictException',
    })
    on = false
    expect(asked).toEqual(['TransactWriteItems', 'TransactGetItems', 'PutItem'])
    expect(await get(t, key('a'))).toBeUndefined()
    await transact(t, [add(t, key('a'), 1), add(t, key('b'), 1)], { ClientRequestToken })
    expect(await get(t, key('b'))).toEqual({ ...key('b'), n: n(1) })
  })
})

describe('idempotency tokens', () => {
  test('are forgotten after ten minutes, not before', async () => {
    let now = Date.parse('2026-11-22T12:09:59Z')
    const { subject: t } = await start({ now: () => now })
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    const ClientRequestToken = randomUUID()
    const count = async () => {
      await transact(t, [add(t, key('count'), 1)], { ClientRequestToken })
      return (await get(t, key('count')))?.n
    }
    expect(await count()).toEqual(n(1))
    now += 10 * 60_000 - 1
    expect(await count()).toEqual(n(1))
    now += 1
    expect(await count()).toEqual(n(2))
    now += 60 * 60_000
    expect(await count()).toEqual(n(3))
  })

  test('refuse a second request while the first is under way', async () => {
    const { subject: t } = await start()
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    const ClientRequestToken = randomUUID()
    const items = Array.from({ length: 100 }, (_, i) => put(t, { ...key(`${i}`), text: s('x'.repeat(30_000)) }))
    const attempts = await Promise.allSettled(Array.from({ length: 4 }, () => transact(t, items, { ClientRequestToken })))
    const names = attempts.map(attempt => (attempt.status === 'fulfilled' ? 'done' : attempt.reason.name))
    expect(names).toContain('done')
    expect(names.filter(name => name !== 'done' && name !== 'TransactionInProgressException')).toEqual([])
  })
})

describe('the wire', () => {
  test('refuses what is no request, and goes on', async () => {
    const { server, subject: t } = await start()
    expect(await (await post(server.endpoint, 'MakeCoffee', '{}')).json()).toMatchObject({
      __type: expect.stringContaining('UnknownOperationException'),
    })
    for (const body of ['', '{', '[]', '"text"', 'null']) {
      const response = await post(server.endpoint, 'PutItem', body)
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('SerializationException')])
    }
    const tooLarge = await post(server.endpoint, 'PutItem', 'x'.repeat(17 * 1024 * 1024)).then(
      response => response.status,
      () => 'cut',
    )
    expect([413, 'cut']).toContain(tooLarge)
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
  })

  test('answers a fault inside dynalite as InternalServerError, releases the item, and goes on', async () => {
    const { subject: t } = await start()
    await t.client.send(new CreateTableCommand(tableOf(t.table)))
    await transact(t, [put(t, { ...key('a'), n: n(1) })])
    const values = { ':v': n(9) }
    const faulty = { ConditionExpression: ':v BETWEEN n AND nothing', ExpressionAttributeValues: values }
    expect(await refused(t.client.send(new PutItemCommand({ TableName: t.table, Item: key('a'), ...faulty })))).toMatchObject({
      name: 'InternalServerError',
    })
    const filter = new QueryCommand({
      TableName: t.table,
      KeyConditionExpression: 'pk = :pk',
      FilterExpression: ':v BETWEEN n AND nothing',
      ExpressionAttributeValues: { ...values, ':pk': s('a') },
    })
    expect(await refused(t.client.send(filter))).toMatchObject({ name: 'InternalServerError' })
    await transact(t, [put(t, key('b'), absent), add(t, key('a'), 1)])
    expect(await get(t, key('a'))).toEqual({ ...key('a'), n: n(2) })
  })

  test('listens on 127.0.0.1, and names a port that is taken', async () => {
    const { server } = await start()
    const { hostname, port } = new URL(server.endpoint)
    expect(hostname).toBe('127.0.0.1')
    await expect(startDynamoDb({ port: Number(port) })).rejects.toThrow(`127.0.0.1:${port}`)
  })

  test('keeps connections alive', async () => {
    const { server } = await start()
    const { port } = new URL(server.endpoint)
    const socket = connectSocket(Number(port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let received = ''
    socket.on('data', chunk => (received += chunk.toString()))
    for (let i = 1; i <= 3; i++) {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await expect.poll(() => received.split('HTTP/1.1 200').length - 1).toBe(i)
    }
  })
})
