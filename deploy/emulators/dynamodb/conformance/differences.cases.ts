import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { cancelled, invalid, invalidButForWitness, refused } from './refused.ts'
import { type Case, get, type Item, key, n, put, type Subject, s, transact, update } from './subject.ts'

/** Transactions that only the table or the item can tell to be wrong. The API reference lists their messages as reasons of a cancelled transaction. */
const misfits: [what: string, action: (t: Subject) => TransactWriteItem, witness: 'cancels' | 'refuses' | 'takes'][] = [
  ['a key that lacks an attribute', t => ({ Delete: { TableName: t.table, Key: { pk: s('a') } } }), 'takes'],
  ['an empty key', t => put(t, key('')), 'refuses'],
  ['an empty index key', t => put(t, { ...key('a'), author: s(''), posted: n(1) }), 'refuses'],
  ['an operand of the wrong type', t => update(t, key('a'), 'ADD words :v', { ':v': n(1) }), 'cancels'],
  ['an attribute that is not there', t => update(t, key('a'), 'SET a = b + :v', { ':v': n(1) }), 'cancels'],
  ['a document path that is not there', t => update(t, key('a'), 'SET a.b = :v', { ':v': n(1) }), 'cancels'],
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
const conditions: [what: string, condition: string, values: Item, embedded: boolean, witness: boolean][] = [
  ['a map never equals a map', 'm = :m', { ':m': { M: { x: n(1) } } }, false, true],
  ['a list never equals a list of two', 'l = :l', { ':l': { L: [s('a'), s('b'), s('c')] } }, false, true],
  ['two absent attributes are equal', 'one = two', {}, true, true],
]
const changes: [what: string, expression: string, values: Item, attribute: string, embedded: AttributeValue, witness: AttributeValue][] = [
  ['a copy changes with its original in the same update', 'SET a = b ADD b :v', { ':v': n(1) }, 'a', n(6), n(5)],
  ['REMOVE counts list entries anew after each', 'REMOVE l[0], l[1] SET b = :v', { ':v': n(1) }, 'l', { L: [s('b')] }, { L: [s('b')] }],
]

/**
 * Where the embedded DynamoDB parts from AWS, or the witness (MiniStack) from one of them; each is held to what it does, so that a new version that does
 * otherwise is noticed. A name says what AWS does.
 */
export const differences: Case[] = [
  ...misfits.map(
    ([what, action, witness]): Case => ({
      name: `cancelled with ValidationError, which the witness ${witness}: ${what}`,
      async run(t) {
        await transact(t, [put(t, { ...key('a'), words: s('text') })])
        const request = transact(t, [action(t), put(t, key('b'))])
        const outcome = t.engine === 'ministack' ? witness : 'cancels'
        if (outcome === 'takes') await request
        else if (outcome === 'refuses') await invalid(request)
        else await cancelled(request, ['ValidationError', 'None'])
        expect(await get(t, key('b'))).toEqual(outcome === 'takes' ? key('b') : undefined)
      },
    }),
  ),
  {
    name: 'an index key of the wrong type in an update is refused',
    async run(t) {
      await cancelled(transact(t, [update(t, key('a'), 'SET author = :v', { ':v': n(1) })]), ['ValidationError'])
    },
  },
  {
    name: 'an Update without an expression is refused, the witness takes it',
    async run(t) {
      await invalidButForWitness(t, transact(t, [{ Update: { TableName: t.table, Key: key('a'), UpdateExpression: undefined } }]))
    },
  },
  ...conditions.map(
    ([what, condition, values, embedded, witness]): Case => ({
      name: `it is not so that ${what}, embedded it is${witness === embedded ? ', and at the witness' : ''}: ${condition}`,
      async run(t) {
        await transact(t, [put(t, before)])
        expect(await holds(t, condition, values)).toBe(t.engine === 'ministack' ? witness : embedded)
      },
    }),
  ),
  ...changes.map(
    ([what, expression, values, attribute, embedded, witness]): Case => ({
      name: `it is not so that ${what}, embedded it is: ${expression}`,
      async run(t) {
        await transact(t, [put(t, before)])
        await transact(t, [update(t, key('a'), expression, values)])
        expect((await get(t, key('a')))?.[attribute]).toEqual(t.engine === 'ministack' ? witness : embedded)
      },
    }),
  ),
  {
    name: 'BETWEEN is false when a bound is absent, embedded answers InternalServerError',
    async run(t) {
      await transact(t, [put(t, before)])
      const request = transact(t, [put(t, before, when(':v BETWEEN b AND nothing', { ':v': n(9) }))])
      if (t.engine === 'ministack') await cancelled(request, ['ConditionalCheckFailed'])
      else expect(await refused(request)).toMatchObject({ name: 'InternalServerError' })
    },
  },
  {
    name: 'sums of more than 38 digits are refused, embedded and the witness store them',
    async run(t) {
      await transact(t, [put(t, before)])
      await transact(t, [update(t, key('a'), 'SET digits = digits + :v', { ':v': { N: '0.5' } })])
    },
  },
]
