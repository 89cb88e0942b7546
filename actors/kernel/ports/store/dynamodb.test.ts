import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Clients, openClients } from '../aws/clients.ts'
import { dynamoStore } from './dynamodb.ts'
import { ConditionLost, Conflict, type Store, type StoreWrite } from './port.ts'

type Key = { pk: { S: string }; sk: { S: string } }
type Asked = {
  operation: string
  body: { RequestItems: Record<string, { Keys: Key[]; ConsistentRead: boolean }> } & Record<string, unknown>
}
type Answer = { status?: number; body: unknown }

/** What embedded engines do not do: leave keys unread, cancel for mixed reasons, throttle. */
let asked: Asked[] = []
let answer: (asked: Asked) => Answer
const engine = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const one = {
      operation: String(request.headers['x-amz-target']).split('.').at(-1) ?? '',
      body: JSON.parse(Buffer.concat(chunks).toString()),
    }
    asked.push(one)
    const { status = 200, body } = answer(one)
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r' }).end(JSON.stringify(body))
  })
})

let clients: Clients
let store: Store
beforeAll(async () => {
  engine.listen(0, '127.0.0.1')
  await once(engine, 'listening')
  const { port } = engine.address() as AddressInfo
  clients = openClients({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`, EMBEDDED: true })
})
afterAll(async () => {
  clients.close()
  engine.closeAllConnections()
  engine.close()
  await once(engine, 'close')
})
beforeEach(() => {
  asked = []
  store = dynamoStore({ client: clients.dynamodb, prefix: 'x-' })
})

const place = (n: number, table = 't') => ({ table, pk: `p${n}`, sk: 's' })
const places = (count: number) => Array.from({ length: count }, (_, n) => place(n))
/** Answers what it is asked for, but leaves the keys unread that `left` says. */
const reading =
  (left: (key: Key) => boolean = () => false) =>
  ({ body }: Asked): Answer => {
    const tables = Object.entries(body.RequestItems)
    const unread = tables.map(([name, { Keys }]) => [name, { Keys: Keys.filter(left), ConsistentRead: true }] as const)
    return {
      body: {
        Responses: Object.fromEntries(tables.map(([name, { Keys }]) => [name, Keys.filter(key => !left(key)).toReversed()])),
        UnprocessedKeys: Object.fromEntries(unread.filter(([, { Keys }]) => Keys.length > 0)),
      },
    }
  }
const keysOf = ({ body }: Asked) => Object.values(body.RequestItems).flatMap(table => table.Keys.map(key => key.pk.S))

describe('reads', () => {
  test('of callers at the same time go out as few strongly consistent requests, each key once a request', async () => {
    answer = reading()
    const all = await Promise.all([...places(120), ...places(40), place(0, 'u')].map(p => store.get([p])))
    expect(all.map(([item]) => item?.pk)).toEqual([...places(120), ...places(40), place(0, 'u')].map(p => p.pk))
    expect(asked.map(one => one.operation)).toEqual(['BatchGetItem', 'BatchGetItem'])
    expect(asked.flatMap(one => Object.values(one.body.RequestItems)).every(table => table.ConsistentRead)).toBe(true)
    expect(asked.map(one => keysOf(one).length)).toEqual([100, 61])
    expect(asked.flatMap(one => Object.keys(one.body.RequestItems))).toEqual(['x-t', 'x-t', 'x-u'])
  })

  test('of one place by many callers at once read it once', async () => {
    answer = reading()
    await Promise.all(Array.from({ length: 50 }, () => store.get([place(1)])))
    expect(asked.map(keysOf)).toEqual([['p1']])
  })

  test('ask again for what was left unread', async () => {
    const left: ((key: Key) => boolean)[] = [key => Number(key.pk.S.slice(1)) % 2 === 1, key => key.pk.S === 'p7']
    answer = one => reading(left.shift())(one)
    const items = await store.get(places(30))
    expect(items.map(item => item?.pk)).toEqual(places(30).map(p => p.pk))
    expect(asked.map(one => keysOf(one).length)).toEqual([30, 15, 1])
  })

  test('of a place that is never reached fail, those of others do not', async () => {
    answer = reading(key => key.pk.S === 'p2')
    const settled = await Promise.allSettled(places(4).map(p => store.get([p])))
    expect(settled.map(s => s.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(settled[2]).toMatchObject({ reason: { message: 'DynamoDB did not get to t p2 s: it is throttling' } })
    expect(asked.slice(1).every(one => keysOf(one).join() === 'p2')).toBe(true)
  })

  test('that fail tell each caller, and the next ones work', async () => {
    answer = () => ({ status: 400, body: { __type: 'com.amazonaws.dynamodb.v20120810#AccessDeniedException', message: 'no' } })
    const settled = await Promise.allSettled(places(3).map(p => store.get([p])))
    expect(settled.map(s => (s.status === 'rejected' ? s.reason.name : s.status))).toEqual(Array(3).fill('AccessDeniedException'))
    answer = reading()
    expect(await store.get([place(1)])).toEqual([{ pk: 'p1', sk: 's' }])
  })
})

describe('a refused commit', () => {
  const refusal = (type: string, more: object = {}): Answer => ({
    status: 400,
    body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `it is ${type}`, ...more },
  })
  const cancelled = (...codes: string[]) => refusal('TransactionCanceledException', { CancellationReasons: codes.map(Code => ({ Code })) })
  const put = (n: number): StoreWrite => ({ put: { pk: `p${n}`, sk: 's' }, table: 't', when: { version: 0 } })
  const three = [put(1), put(2), put(3)]
  const outcome = async (writes: StoreWrite[], ...answers: Answer[]) => {
    answer = () => answers.shift() ?? { body: {} }
    return store.commit(writes).then(
      () => 'done',
      (error: unknown) => error,
    )
  }

  test('names the places whose conditions were lost, whatever else was in the way', async () => {
    const lost = await outcome(three, cancelled('TransactionConflict', 'ConditionalCheckFailed', 'ConditionalCheckFailed'))
    expect(lost).toEqual(new ConditionLost([place(2), place(3)]))
    expect(await outcome([put(1)], refusal('ConditionalCheckFailedException'))).toEqual(new ConditionLost([place(1)]))
  })

  test('is a conflict when only other transactions were in the way', async () => {
    expect(await outcome(three, cancelled('None', 'TransactionConflict', 'None'))).toBeInstanceOf(Conflict)
    expect(await outcome([put(1)], refusal('TransactionConflictException'))).toBeInstanceOf(Conflict)
  })

  test('whose first try is still under way is asked again, and is a conflict in the end', async () => {
    const busy = refusal('TransactionInProgressException')
    expect(await outcome(three, busy)).toBe('done')
    expect(asked).toHaveLength(2)
    expect(asked[0]?.body.ClientRequestToken).toMatch(/./)
    expect(asked[1]?.body.ClientRequestToken).toBe(asked[0]?.body.ClientRequestToken)
    expect(await outcome(three, busy, busy, busy)).toBeInstanceOf(Conflict)
    expect(asked.at(-1)?.body.ClientRequestToken).not.toBe(asked[0]?.body.ClientRequestToken)
  })

  test('stays what it is when the engine throttles, or for what is nobody’s fault here', async () => {
    expect(await outcome(three, cancelled('None', 'ThrottlingError', 'None'))).toMatchObject({ name: 'TransactionCanceledException' })
    const throttled = refusal('ProvisionedThroughputExceededException')
    expect(await outcome([put(1)], throttled, throttled, throttled)).toMatchObject({ name: 'ProvisionedThroughputExceededException' })
    expect(await outcome([put(1)], refusal('ResourceNotFoundException'))).toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('of an item that is too large names it, wherever the engine says so', async () => {
    const message = 'Item size to update has exceeded the maximum allowed size'
    const reasons = [{ Code: 'None' }, { Code: 'ValidationError', Message: message }, { Code: 'None' }]
    const inTransaction = refusal('TransactionCanceledException', { CancellationReasons: reasons })
    expect(String(await outcome(three, inTransaction))).toBe('Unstorable: larger than the 400 KB of an item: t p2 s')
    const large: StoreWrite = { put: { pk: 'p4', sk: 's', text: 'x'.repeat(420_000) }, table: 't' }
    const whole = refusal('ValidationException', { message: 'Item size has exceeded the maximum allowed size' })
    expect(String(await outcome([...three, large], whole))).toBe('Unstorable: larger than the 400 KB of an item: t p4 s')
  })
})
