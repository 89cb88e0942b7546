import { TransactGetItemsCommand } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { cancelled, invalid, invalidButForWitness, refused } from './refused.ts'
import { absent, add, type Case, exists, get, key, n, prepare, put, remove, type Subject, s, transact, update } from './subject.ts'

const kilobytes = (count: number) => s('x'.repeat(count * 1000))
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** TransactWriteItems: all or nothing, and why nothing. */
export const transactions: Case[] = [
  {
    name: 'puts, updates, deletes and checks in one',
    async run(t) {
      await transact(t, [put(t, key('old')), put(t, key('guard'))])
      await transact(t, [
        put(t, { ...key('new'), text: s('hello') }),
        add(t, key('count'), 3),
        remove(t, key('old')),
        exists(t, key('guard')),
      ])
      expect(await get(t, key('new'))).toEqual({ ...key('new'), text: s('hello') })
      expect(await get(t, key('count'))).toEqual({ ...key('count'), n: n(3) })
      expect(await get(t, key('old'))).toBeUndefined()
    },
  },
  {
    name: 'writes nothing when a condition fails, and says which',
    async run(t) {
      await transact(t, [put(t, key('taken'))])
      const { message, reasons } = await cancelled(
        transact(t, [add(t, key('count'), 1), put(t, key('taken'), absent), exists(t, key('nobody'))]),
        ['None', 'ConditionalCheckFailed', 'ConditionalCheckFailed'],
      )
      expect(message).toContain('[None, ConditionalCheckFailed, ConditionalCheckFailed]')
      expect(reasons[1]).toMatchObject({ Message: 'The conditional request failed' })
      expect(await get(t, key('count'))).toBeUndefined()
    },
  },
  {
    name: 'shows the item that failed a condition, when asked and when there is one',
    async run(t) {
      await transact(t, [put(t, { ...key('taken'), n: n(7) })])
      const all = { ...absent, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
      const gone = { ConditionExpression: 'attribute_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
      const shown = await cancelled(transact(t, [put(t, key('taken'), all), put(t, key('nobody'), gone)]), [
        'ConditionalCheckFailed',
        'ConditionalCheckFailed',
      ])
      expect(shown.reasons.map(reason => reason.Item)).toEqual([{ ...key('taken'), n: n(7) }, undefined])
      const hidden = await cancelled(transact(t, [put(t, key('taken'), absent)]), ['ConditionalCheckFailed'])
      expect(hidden.reasons[0]?.Item).toBeUndefined()
    },
  },
  {
    name: 'checks every condition against the items as they were before',
    async run(t) {
      await transact(t, [put(t, { ...key('a'), n: n(1) })])
      const equal = { ConditionExpression: 'n = :n', ExpressionAttributeValues: { ':n': n(1) } }
      await transact(t, [put(t, { ...key('a'), n: n(2) }, equal), put(t, key('b'), absent)])
      await cancelled(transact(t, [put(t, { ...key('a'), n: n(3) }, equal), put(t, key('c'), absent)]), ['ConditionalCheckFailed', 'None'])
    },
  },
  {
    name: 'writes to two tables at once',
    async run(t) {
      const other: Subject = await prepare(t.engine, t.client)
      await transact(t, [put(t, key('one')), put(other, key('one'))])
      await cancelled(transact(t, [put(t, key('two')), put(other, key('one'), absent)]), ['None', 'ConditionalCheckFailed'])
      expect([await get(t, key('one')), await get(other, key('one')), await get(t, key('two'))]).toEqual([
        key('one'),
        key('one'),
        undefined,
      ])
    },
  },
  {
    name: 'takes 1 to 100 items, each of them once, with one action each',
    async run(t) {
      await transact(
        t,
        many(100, i => put(t, key(`m${i}`))),
      )
      await invalid(
        transact(
          t,
          many(101, i => put(t, key(`m${i}`))),
        ),
        /less than or equal to 100/,
      )
      await invalid(transact(t, []), /greater than or equal to 1/)
      await invalid(transact(t, [put(t, key('d')), remove(t, key('d'))]), /multiple operations on one item/)
      await invalidButForWitness(t, transact(t, [{ ...put(t, key('e')), ...remove(t, key('f')) }]), /can only contain one of/)
      await invalid(transact(t, [{}]))
      expect(await get(t, key('m99'))).toEqual(key('m99'))
      expect(await get(t, key('d'))).toBeUndefined()
    },
  },
  {
    name: 'refuses expressions that do not parse or leave values unused, and a check without a condition',
    async run(t) {
      await invalidButForWitness(t, transact(t, [update(t, key('a'), 'SETT n = :a', { ':a': n(1) })]), /Invalid UpdateExpression/)
      await invalid(transact(t, [update(t, key('a'), 'SET n = :a', { ':a': n(1), ':b': n(2) })]), /unused/)
      await invalidButForWitness(
        t,
        transact(t, [{ ConditionCheck: { TableName: t.table, Key: key('a'), ConditionExpression: undefined } }]),
      )
    },
  },
  {
    name: 'refuses a table that does not exist',
    async run(t) {
      const elsewhere = put({ ...t, table: 'conformance-nowhere' }, key('a'))
      expect(await refused(transact(t, [put(t, key('a')), elsewhere]))).toMatchObject({ name: 'ResourceNotFoundException' })
      expect(await get(t, key('a'))).toBeUndefined()
    },
  },
  {
    name: 'refuses an item over 400 KB and a payload over 4 MB, and cancels an update that would make an item too large',
    async run(t) {
      await invalid(transact(t, [put(t, { ...key('a'), text: kilobytes(410) })]), /size has exceeded/)
      await invalid(
        transact(
          t,
          many(11, i => put(t, { ...key(`p${i}`), text: kilobytes(399) })),
        ),
        /cannot exceed 4MB|exceeds the 4MB/,
      )
      await transact(t, [put(t, { ...key('a'), text: kilobytes(390) })])
      const growth = update(t, key('a'), 'SET more = :more', { ':more': kilobytes(20) })
      await cancelled(transact(t, [put(t, key('b')), growth]), ['None', 'ValidationError'])
      expect(await get(t, key('b'))).toBeUndefined()
    },
  },
  {
    name: 'cancels with ValidationError what does not fit the table: key type, index key type, changed key',
    async run(t) {
      await cancelled(transact(t, [put(t, { pk: n(1), sk: s('x') })]), ['ValidationError'])
      await cancelled(transact(t, [put(t, { ...key('a'), author: n(1) })]), ['ValidationError'])
      const changedKey = transact(t, [update(t, key('a'), 'SET sk = :sk', { ':sk': s('y') })])
      // The witness takes it, and leaves the key as it is.
      if (t.engine === 'ministack') await changedKey
      else await cancelled(changedKey, ['ValidationError'])
      expect(await get(t, key('a', 'y'))).toBeUndefined()
    },
  },
  {
    name: 'reads items as of one moment, in the order asked for, absent ones empty, projected',
    async run(t) {
      await transact(t, [put(t, { ...key('a'), n: n(1), text: s('hello') }), put(t, key('b'))])
      const read = (...gets: { Key: ReturnType<typeof key>; ProjectionExpression?: string }[]) =>
        t.client.send(new TransactGetItemsCommand({ TransactItems: gets.map(each => ({ Get: { TableName: t.table, ...each } })) }))
      const { Responses } = await read({ Key: key('b') }, { Key: key('nobody') }, { Key: key('a'), ProjectionExpression: 'n' })
      expect(Responses?.map(response => response.Item)).toEqual([key('b'), undefined, { n: n(1) }])
      await invalid(read({ Key: key('a') }, { Key: key('a') }), /multiple operations on one item/)
      await invalid(read())
      await invalid(read(...many(101, i => ({ Key: key(`${i}`) }))), /less than or equal to 100/)
    },
  },
  {
    name: 'refuses to read more than 4 MB at once',
    async run(t) {
      for (const half of [many(6, i => i), many(5, i => i + 6)])
        await transact(
          t,
          half.map(i => put(t, { ...key(`p${i}`), text: kilobytes(399) })),
        )
      const TransactItems = many(11, i => ({ Get: { TableName: t.table, Key: key(`p${i}`) } }))
      await invalidButForWitness(t, t.client.send(new TransactGetItemsCommand({ TransactItems })), /too large/)
    },
  },
]
