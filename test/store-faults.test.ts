import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Clients, openClients } from '../actors/kernel/ports/aws/clients.ts'
import { dynamoStore } from '../actors/kernel/ports/store/dynamodb.ts'
import { ConditionLost, Conflict, type Store, type StoreWrite } from '../actors/kernel/ports/store/port.ts'
import { type DynamoDb, startDynamoDb } from '../deploy/emulators/dynamodb/server.ts'
import { provisionTables } from '../deploy/provision/tables.ts'

/** Between the store and its engine: passes everything on, and loses the answers that it is told to, once the engine has given them. */
const lossyProxy = async (engine: string) => {
  let losing: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', async () => {
      const { 'x-amz-target': target = '', 'content-type': type = '', 'x-amz-date': date = '', authorization = '' } = request.headers
      const headers = { 'content-type': type, 'x-amz-target': String(target), 'x-amz-date': String(date), authorization }
      try {
        const answer = await fetch(engine, { method: 'POST', headers, body: Buffer.concat(chunks) })
        const body = Buffer.from(await answer.arrayBuffer())
        const lost = losing.findIndex(operation => target.toString().endsWith(`.${operation}`))
        if (lost < 0) return response.writeHead(answer.status, { 'content-type': type, 'x-amzn-requestid': 'r' }).end(body)
        losing.splice(lost, 1)
      } catch {
        // The engine is away, and so is its answer.
      }
      request.socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Loses the next answer to each of these operations. */
    lose: (...operations: string[]) => {
      losing = operations
    },
    /** How many of them are still to be lost. */
    left: () => losing.length,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

let engine: DynamoDb
let proxy: Awaited<ReturnType<typeof lossyProxy>>
let clients: Clients
let store: Store
let conflict: () => boolean

beforeEach(async () => {
  conflict = () => false
  engine = await startDynamoDb({ conflict: () => conflict() })
  proxy = await lossyProxy(engine.endpoint)
  clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, EMBEDDED: true })
  await provisionTables(clients.dynamodb, ['lossy-t'], false)
  store = dynamoStore({ client: clients.dynamodb, prefix: 'lossy-' })
})
afterEach(async () => {
  clients.close()
  await proxy.close()
  await engine.close()
})

const at = (sk: string) => ({ table: 't', pk: 'p', sk })
const state = (version: number): StoreWrite => ({ put: { pk: 'p', sk: 'state', version }, table: 't', when: { version: version - 1 } })
const one: StoreWrite = { add: at('counter'), by: { n: 1 }, atMost: {} }

describe('the engine commits and the answer is lost', () => {
  test('of a transaction: it counts once, and the caller learns that it is done', async () => {
    proxy.lose('TransactWriteItems')
    await store.commit([state(1), one])
    expect(proxy.left()).toBe(0)
    expect(await store.get([at('state'), at('counter')])).toEqual([
      { pk: 'p', sk: 'state', version: 1 },
      { pk: 'p', sk: 'counter', n: 1 },
    ])
  })

  test('of an add alone: it counts once', async () => {
    proxy.lose('TransactWriteItems', 'UpdateItem')
    await store.commit([one])
    expect(proxy.left()).toBe(1)
    expect(await store.get([at('counter')])).toEqual([{ pk: 'p', sk: 'counter', n: 1 }])
  })

  test('of a conditional put alone: it loses against itself, and the item tells whose it is', async () => {
    proxy.lose('PutItem')
    await expect(store.commit([state(1)])).rejects.toEqual(new ConditionLost([at('state')]))
    expect(await store.get([at('state')])).toEqual([{ pk: 'p', sk: 'state', version: 1 }])
  })

  test('of a put or a removal without a condition: it is done', async () => {
    proxy.lose('PutItem', 'DeleteItem')
    await store.commit([{ put: { pk: 'p', sk: 'row' }, table: 't' }])
    expect(await store.get([at('row')])).toEqual([{ pk: 'p', sk: 'row' }])
    await store.commit([{ remove: at('row') }])
    expect(await store.get([at('row')])).toEqual([undefined])
    expect(proxy.left()).toBe(0)
  })

  test('of a read: it is asked again', async () => {
    await store.commit([state(1)])
    proxy.lose('BatchGetItem', 'Query')
    expect((await store.get([at('state')]))[0]?.version).toBe(1)
    expect((await store.query({ table: 't', pk: 'p', prefix: '', limit: 5 })).items).toHaveLength(1)
    expect(proxy.left()).toBe(0)
  })
})

describe('another transaction is in the way', () => {
  test.for([
    ['a put', [state(1)]],
    ['a removal', [{ remove: at('state') }]],
    ['a set', [{ set: at('there'), values: { n: 2 } }]],
    ['an add', [one]],
    ['a transaction', [state(1), one]],
  ] as [string, StoreWrite[]][])('%s: a conflict, nothing is written, and the next try succeeds', async ([, writes]) => {
    await store.commit([{ put: { pk: 'p', sk: 'there', n: 1 }, table: 't' }])
    conflict = () => true
    await expect(store.commit(writes)).rejects.toBeInstanceOf(Conflict)
    expect(await store.get([at('state'), at('there'), at('counter')])).toEqual([undefined, { pk: 'p', sk: 'there', n: 1 }, undefined])
    conflict = () => false
    await store.commit(writes)
  })

  test('every third time: writers that try again come out exact', async () => {
    let asked = 0
    conflict = () => asked++ % 3 === 0
    const write = async (): Promise<void> => {
      const [item] = await store.get([at('state')])
      try {
        await store.commit([state(Number(item?.version ?? 0) + 1), one])
      } catch (error) {
        if (!(error instanceof ConditionLost || error instanceof Conflict)) throw error
        await write()
      }
    }
    await Promise.all(Array.from({ length: 15 }, write))
    expect((await store.get([at('state'), at('counter')])).map(item => item?.version ?? item?.n)).toEqual([15, 15])
  })
})

describe('the engine restarts', () => {
  test('calls fail while it is away and succeed when it is back', async () => {
    await store.commit([state(1)])
    await engine.close()
    await expect(store.commit([state(2)])).rejects.toThrow()
    await expect(store.get([at('state')])).rejects.toThrow()
    // In memory, so it comes back empty: the tables are there again, what was in them is not.
    engine = await startDynamoDb({ port: Number(new URL(engine.endpoint).port) })
    await provisionTables(clients.dynamodb, ['lossy-t'], false)
    expect(await store.get([at('state')])).toEqual([undefined])
    await store.commit([state(1)])
  })
})
