import {
  PutItemCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { absent, add, type Case, get, type Item, key, n, put, queryIndex, type Subject, s, transact, update } from './subject.ts'

const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)))

/** Again until it is let through: real tables cancel transactions that meet. @returns whether its conditions held */
async function insist(t: Subject, items: Parameters<typeof transact>[1]): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await transact(t, items)
      return true
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error
      const codes = error.CancellationReasons?.map(reason => reason.Code) ?? []
      if (codes.includes('ConditionalCheckFailed')) return false
      if (!codes.includes('TransactionConflict')) throw error
    }
  }
  return expect.fail('200 attempts met another transaction')
}

const account = (i: number) => key(`account-${i}`)
const balance = (item: Item | undefined) => Number(item?.n?.N)

/** Many writers at once: what holds for one item and for several. */
export const concurrency: Case[] = [
  {
    name: 'money moved by crossing transactions stays, and no account is overdrawn',
    async run(t) {
      await transact(
        t,
        Array.from({ length: 5 }, (_, i) => put(t, { ...account(i), n: n(10) })),
      )
      const move = (from: number, to: number, amount: number) =>
        insist(t, [
          {
            Update: {
              TableName: t.table,
              Key: account(from),
              UpdateExpression: 'ADD n :minus',
              ConditionExpression: 'n >= :amount',
              ExpressionAttributeValues: { ':minus': n(-amount), ':amount': n(amount) },
            },
          },
          add(t, account(to), amount),
        ])
      await times(150, i => move(i % 5, (i + 1 + (i % 4)) % 5, 1 + (i % 7)))
      const balances = (await times(5, i => get(t, account(i)))).map(balance)
      expect(balances.reduce((sum, each) => sum + each)).toBe(50)
      expect(Math.min(...balances)).toBeGreaterThanOrEqual(0)
    },
  },
  {
    name: 'counters lose no step between single writes and transactions',
    async run(t) {
      const single = () =>
        t.client.send(
          new UpdateItemCommand({
            TableName: t.table,
            Key: key('count'),
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': n(1) },
          }),
        )
      const patiently = async (): Promise<boolean> => (await single().then(() => true, conflicted)) || patiently()
      await times(60, i => (i % 2 ? insist(t, [add(t, key('count'), 1), add(t, key('other'), 1)]) : patiently()))
      expect([balance(await get(t, key('count'))), balance(await get(t, key('other')))]).toEqual([60, 30])
    },
  },
  {
    name: 'of many who claim a slot, one gets it',
    async run(t) {
      const claims = await times(20, i =>
        insist(t, [put(t, { ...key('slot'), author: s(`${i}`), posted: n(1) }, absent), put(t, key(`claim-${i}`))]),
      )
      expect(claims.filter(Boolean)).toHaveLength(1)
      const winner = claims.indexOf(true)
      expect(await queryIndex(t, 'by-author', 'author', `${winner}`)).toHaveLength(1)
      expect(await get(t, key(`claim-${(winner + 1) % 20}`))).toBeUndefined()
    },
  },
  {
    name: 'versions: every writer that reads and tries again gets its change in',
    async run(t) {
      await t.client.send(new PutItemCommand({ TableName: t.table, Item: { ...key('doc'), version: n(0), n: n(0) } }))
      const change = async () => {
        for (;;) {
          const item = await get(t, key('doc'))
          const values = { ':seen': n(Number(item?.version?.N)), ':next': n(Number(item?.version?.N) + 1), ':n': n(balance(item) + 1) }
          const Update = { ...update(t, key('doc'), 'SET version = :next, n = :n', values).Update, ConditionExpression: 'version = :seen' }
          if (await t.client.send(new UpdateItemCommand({ TableName: t.table, Key: key('doc'), ...Update })).then(() => true, lost)) return
        }
      }
      await times(12, change)
      expect(await get(t, key('doc'))).toEqual({ ...key('doc'), version: n(12), n: n(12) })
    },
  },
  {
    name: 'a transactional read sees no half of a transaction',
    async run(t) {
      await transact(t, [put(t, { ...key('left'), n: n(0) }), put(t, { ...key('right'), n: n(0) })])
      let writing = true
      const writer = times(4, () => times(15, () => insist(t, [add(t, key('left'), 1), add(t, key('right'), 1)]))).finally(() => {
        writing = false
      })
      const TransactItems = ['left', 'right'].map(side => ({ Get: { TableName: t.table, Key: key(side) } }))
      do {
        const seen = await t.client.send(new TransactGetItemsCommand({ TransactItems })).then(
          ({ Responses = [] }) => Responses.map(response => balance(response.Item)),
          (error: unknown) => (error instanceof TransactionCanceledException ? [0, 0] : Promise.reject(error)),
        )
        expect(seen[0]).toBe(seen[1])
      } while (writing)
      await writer
    },
  },
  {
    name: 'an index agrees with its table after a crowd of writers',
    async run(t) {
      await times(80, i =>
        insist(t, [put(t, { ...key('posts', `${i % 9}`), author: s(`author-${i % 4}`), posted: n(i) }), add(t, key(`count-${i % 3}`), 1)]),
      )
      const { Items = [] } = await t.client.send(new ScanCommand({ TableName: t.table, FilterExpression: 'attribute_exists(posted)' }))
      const indexed = (await times(4, i => queryIndex(t, 'by-author', 'author', `author-${i}`))).flat()
      const bySk = (items: Item[]) => items.toSorted((a, b) => String(a.sk?.S).localeCompare(String(b.sk?.S)))
      expect(bySk(indexed)).toEqual(bySk(Items))
      expect(Items).toHaveLength(9)
    },
  },
]

const named = (error: unknown, name: string): false => {
  if (error instanceof Error && error.name === name) return false
  throw error
}
const conflicted = (error: unknown) => named(error, 'TransactionConflictException')
const lost = (error: unknown) => named(error, 'ConditionalCheckFailedException')
