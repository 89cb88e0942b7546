import { createHash } from 'node:crypto'
import { BatchWriteItemCommand, DeleteItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { cancelled } from './refused.ts'
import { absent, type Case, type Item, key, n, put, putAll, queryIndex, remove, s, transact, update } from './subject.ts'

const post = (sk: string, author: string, posted: number): Item => ({ ...key('posts', sk), author: s(author), posted: n(posted) })
const sks = (items: Item[]) => items.map(item => item.sk?.S)

/** Secondary indexes follow their table in the same step, whatever writes it. */
export const indexes: Case[] = [
  {
    name: 'an index follows puts, updates and deletes, alone, in batches and in transactions',
    async run(t) {
      const author = async (name: string) => sks(await queryIndex(t, 'by-author', 'author', name))
      await transact(t, [put(t, post('1', 'ann', 10)), put(t, post('2', 'ann', 5)), put(t, post('3', 'bob', 1))])
      expect([await author('ann'), await author('bob')]).toEqual([['2', '1'], ['3']])
      await transact(t, [
        update(t, key('posts', '1'), 'SET posted = :v', { ':v': n(1) }),
        put(t, post('2', 'bob', 7)),
        remove(t, key('posts', '3')),
      ])
      expect([await author('ann'), await author('bob')]).toEqual([['1'], ['2']])
      await t.client.send(
        new UpdateItemCommand({
          TableName: t.table,
          Key: key('posts', '1'),
          UpdateExpression: 'SET author = :author',
          ExpressionAttributeValues: { ':author': s('bob') },
        }),
      )
      expect([await author('ann'), await author('bob')]).toEqual([[], ['1', '2']])
      await t.client.send(new DeleteItemCommand({ TableName: t.table, Key: key('posts', '2') }))
      const RequestItems = { [t.table]: [{ DeleteRequest: { Key: key('posts', '1') } }, { PutRequest: { Item: post('4', 'ann', 2) } }] }
      await t.client.send(new BatchWriteItemCommand({ RequestItems }))
      expect([await author('ann'), await author('bob')]).toEqual([['4'], []])
    },
  },
  {
    name: 'a cancelled transaction leaves indexes alone',
    async run(t) {
      await transact(t, [put(t, post('1', 'ann', 1))])
      await cancelled(
        transact(t, [
          put(t, post('1', 'bob', 1)),
          put(t, key('posts', '1x')),
          put(t, post('2', 'bob', 1)),
          put(t, key('nobody'), { ConditionExpression: 'attribute_exists(pk)' }),
        ]),
        ['None', 'None', 'None', 'ConditionalCheckFailed'],
      )
      expect([sks(await queryIndex(t, 'by-author', 'author', 'ann')), await queryIndex(t, 'by-author', 'author', 'bob')]).toEqual([
        ['1'],
        [],
      ])
    },
  },
  {
    name: 'an item without the index key is not in the index, and leaves it with its key',
    async run(t) {
      await transact(t, [put(t, { ...key('posts', '1'), author: s('ann') }), put(t, post('2', 'ann', 1))])
      expect(sks(await queryIndex(t, 'by-author', 'author', 'ann'))).toEqual(['2'])
      await transact(t, [update(t, key('posts', '2'), 'SET extra = :v REMOVE posted', { ':v': n(1) })])
      expect(await queryIndex(t, 'by-author', 'author', 'ann')).toEqual([])
    },
  },
  {
    name: 'an index shows what it projects, as it is now',
    async run(t) {
      await transact(t, [put(t, { ...post('1', 'ann', 1), kind: s('short'), text: s('old') })])
      await transact(t, [update(t, key('posts', '1'), 'SET body = :v', { ':v': s('new') })])
      expect(await queryIndex(t, 'by-kind', 'kind', 'short')).toEqual([{ ...key('posts', '1'), kind: s('short') }])
      expect(await queryIndex(t, 'by-author', 'author', 'ann')).toEqual([
        { ...post('1', 'ann', 1), kind: s('short'), text: s('old'), body: s('new') },
      ])
    },
  },
  {
    name: 'a local index orders by its own key, numbers as numbers, also backwards and consistently',
    async run(t) {
      await transact(
        t,
        [-5, 40, 0.5, 7, 100].map((score, i) => put(t, { ...key('board', `${i}`), score: n(score) })),
      )
      const scores = (items: Item[]) => items.map(item => Number(item.score?.N))
      expect(scores(await queryIndex(t, 'by-score', 'pk', 'board'))).toEqual([-5, 0.5, 7, 40, 100])
      const top = { TableName: t.table, IndexName: 'by-score', ConsistentRead: true, ScanIndexForward: false, Limit: 2 }
      const { Items = [] } = await t.client.send(
        new QueryCommand({
          ...top,
          KeyConditionExpression: 'pk = :pk AND score < :max',
          ExpressionAttributeValues: { ':pk': s('board'), ':max': n(100) },
        }),
      )
      expect(scores(Items)).toEqual([40, 7])
    },
  },
  {
    name: 'pages of equal index keys miss nothing and repeat nothing, forwards and backwards',
    async run(t) {
      const all = Array.from({ length: 60 }, (_, i) => `${i}`.padStart(2, '0'))
      await putAll(
        t,
        all.map(sk => ({ ...post(sk, 'ann', 1), kind: s('short') })),
      )
      for (const ScanIndexForward of [true, false]) {
        expect(sks(await queryIndex(t, 'by-author', 'author', 'ann', { Limit: 7, ScanIndexForward })).toSorted()).toEqual(all)
        expect(sks(await queryIndex(t, 'by-kind', 'kind', 'short', { Limit: 7, ScanIndexForward })).toSorted()).toEqual(all)
      }
    },
  },
  {
    name: 'items whose keys hash alike have an index entry each',
    async run(t) {
      const [one, two] = collision()
      await putAll(
        t,
        [one, two].map(sk => ({ ...key('posts', sk), kind: s('short') })),
      )
      for (const ScanIndexForward of [true, false]) {
        expect(sks(await queryIndex(t, 'by-kind', 'kind', 'short', { Limit: 1, ScanIndexForward })).toSorted()).toEqual(
          [one, two].toSorted(),
        )
      }
      await transact(t, [remove(t, key('posts', one)), put(t, { ...key('posts', 'z'), kind: s('long') }, absent)])
      expect(sks(await queryIndex(t, 'by-kind', 'kind', 'short'))).toEqual([two])
    },
  },
]

/** Two sort keys that the 24 bits of hash which dynalite puts behind index keys do not tell apart. */
function collision(): [string, string] {
  const seen = new Map<string, string>()
  for (let i = 0; ; i++) {
    const sk = `${i}`
    const hash = createHash('md5').update('Outliers').update('posts').update(sk).digest('hex').slice(0, 6)
    const other = seen.get(hash)
    if (other !== undefined) return [other, sk]
    seen.set(hash, sk)
  }
}
