import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { cancelled, invalid, refused } from './refused.ts'
import { type Case, get, type Item, key, n, put, type Subject, s, transact, update } from './subject.ts'

/** Transactions that only the table or the item can tell to be wrong. The API reference lists their messages as reasons of a cancelled transaction. */
const misfits: [what: string, action: (t: Subject) => TransactWriteItem][] = [
  ['a key that lacks an attribute', t => ({ Delete: { TableName: t.table, Key: { pk: s('a') } } })],
  ['an empty key', t => put(t, key(''))],
  ['an empty index key', t => put(t, { ...key('a'), author: s(''), posted: n(1) })],
  ['an operand of the wrong type', t => update(t, key('a'), 'ADD words :v', { ':v': n(1) })],
  ['an attribute that is not there', t => update(t, key('a'), 'SET a = b + :v', { ':v': n(1) })],
  ['a document path that is not there', t => update(t, key('a'), 'SET a.b = :v', { ':v': n(1) })],
]

const before: Item = {
  ...key('a'),
  m: { M: { x: n(1) } },
  l: { L: [s('a'), s('b'), s('c')] },
  b: n(5),
  digits: { N: '12345678901234567890123456789012345678' },
}
const when = (ConditionExpression: string, values: Item) => ({
  ConditionExpression,
  ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
})
const holds = (t: Subject, condition: string, values: Item = {}) =>
  transact(t, [put(t, before, when(condition, values))]).then(
    () => true,
    async error => (await cancelled(Promise.reject(error), ['ConditionalCheckFailed'])) === undefined,
  )

/** dynalite's own, left as they are: its condition and update code runs unchanged. Nothing in this project may lean on them. */
const conditions: [what: string, condition: string, values: Item, embedded: boolean, amazon: boolean][] = [
  ['a map never equals a map', 'm = :m', { ':m': { M: { x: n(1) } } }, false, true],
  ['a list never equals a list of two', 'l = :l', { ':l': { L: [s('a'), s('b'), s('c')] } }, false, true],
  ['two absent attributes are equal', 'one = two', {}, true, false],
]
const changes: [what: string, expression: string, values: Item, attribute: string, embedded: AttributeValue, amazon: AttributeValue][] = [
  ['a copy changes with its original in the same update', 'SET a = b ADD b :v', { ':v': n(1) }, 'a', n(6), n(5)],
  ['REMOVE counts list entries anew after each', 'REMOVE l[0], l[1] SET b = :v', { ':v': n(1) }, 'l', { L: [s('b')] }, { L: [s('c')] }],
]

/** Where the embedded DynamoDB and Amazon's DynamoDB Local part. Of the two, the real service is like the one named first. */
export const differences: Case[] = [
  ...misfits.map(
    ([what, action]): Case => ({
      name: `embedded cancels with ValidationError, DynamoDB Local refuses with ValidationException: ${what}`,
      async run(t) {
        await transact(t, [put(t, { ...key('a'), words: s('text') })])
        const request = transact(t, [action(t), put(t, key('b'))])
        if (t.engine === 'amazon') await invalid(request)
        else await cancelled(request, ['ValidationError', 'None'])
        expect(await get(t, key('b'))).toBeUndefined()
      },
    }),
  ),
  {
    name: 'embedded refuses an index key of the wrong type in an update, DynamoDB Local stores it',
    async run(t) {
      const request = transact(t, [update(t, key('a'), 'SET author = :v', { ':v': n(1) })])
      if (t.engine === 'amazon') await request
      else await cancelled(request, ['ValidationError'])
    },
  },
  {
    name: 'embedded refuses an Update without an expression, DynamoDB Local takes it',
    async run(t) {
      const request = transact(t, [{ Update: { TableName: t.table, Key: key('a'), UpdateExpression: undefined } }])
      if (t.engine === 'amazon') await request
      else await invalid(request)
    },
  },
  ...conditions.map(
    ([what, condition, values, embedded, amazon]): Case => ({
      name: `DynamoDB Local does not say that ${what}, embedded does: ${condition}`,
      async run(t) {
        await transact(t, [put(t, before)])
        expect(await holds(t, condition, values)).toBe(t.engine === 'amazon' ? amazon : embedded)
      },
    }),
  ),
  ...changes.map(
    ([what, expression, values, attribute, embedded, amazon]): Case => ({
      name: `in DynamoDB Local it is not so that ${what}, embedded it is: ${expression}`,
      async run(t) {
        await transact(t, [put(t, before)])
        await transact(t, [update(t, key('a'), expression, values)])
        expect((await get(t, key('a')))?.[attribute]).toEqual(t.engine === 'amazon' ? amazon : embedded)
      },
    }),
  ),
  {
    name: 'DynamoDB Local finds BETWEEN false when a bound is absent, embedded answers InternalServerError',
    async run(t) {
      await transact(t, [put(t, before)])
      const request = transact(t, [put(t, before, when(':v BETWEEN b AND nothing', { ':v': n(9) }))])
      if (t.engine === 'amazon') await cancelled(request, ['ConditionalCheckFailed'])
      else expect(await refused(request)).toMatchObject({ name: 'InternalServerError' })
    },
  },
  {
    name: 'DynamoDB Local refuses sums of more than 38 digits, embedded stores them',
    async run(t) {
      await transact(t, [put(t, before)])
      const request = transact(t, [update(t, key('a'), 'SET digits = digits + :v', { ':v': { N: '0.5' } })])
      if (t.engine === 'amazon') await invalid(request)
      else await request
    },
  },
]
