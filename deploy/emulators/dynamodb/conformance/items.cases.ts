import { type AttributeValue, DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { expect } from 'vitest'
import { invalid, refused } from './refused.ts'
import { type Case, get, type Item, key, n, type Subject, s } from './subject.ts'

const putOne = ({ client, table }: Subject, Item: Item, more: object = {}) =>
  client.send(new PutItemCommand({ TableName: table, Item, ...more }))
const updateOne = ({ client, table }: Subject, Key: Item, UpdateExpression: string, values?: Item, more: object = {}) =>
  client.send(
    new UpdateItemCommand({ TableName: table, Key, UpdateExpression, ...(values ? { ExpressionAttributeValues: values } : {}), ...more }),
  )

const full: Item = {
  ...key('a'),
  text: s('hello'),
  count: n(5),
  flag: { BOOL: true },
  tags: { SS: ['red', 'blue'] },
  list: { L: [n(1), s('two')] },
  map: { M: { deep: n(3) } },
}

const holding: [expression: string, values: Item][] = [
  ['attribute_exists(#text) AND attribute_not_exists(nothing)', {}],
  ['#text = :v', { ':v': s('hello') }],
  ['#text <> :v', { ':v': n(5) }],
  ['#count BETWEEN :a AND :b AND #count >= :b AND #count < :c', { ':a': n(-1), ':b': n(5), ':c': n(10) }],
  ['#count IN (:a, :b)', { ':a': n(4), ':b': n(5) }],
  ['begins_with(#text, :v) OR #flag = :no', { ':v': s('he'), ':no': { BOOL: false } }],
  ['contains(tags, :v) AND NOT contains(#text, :no)', { ':v': s('red'), ':no': s('z') }],
  ['size(#text) = :five AND size(#list) = :two', { ':five': n(5), ':two': n(2) }],
  ['attribute_type(#map, :m) AND #map.deep = :three AND #list[1] = :two', { ':m': s('M'), ':three': n(3), ':two': s('two') }],
  ['tags = :same', { ':same': { SS: ['blue', 'red'] } }],
]
const names = { '#text': 'text', '#count': 'count', '#flag': 'flag', '#list': 'list', '#map': 'map' }
const used = (expression: string) => Object.fromEntries(Object.entries(names).filter(([name]) => expression.includes(name)))
const condition = (expression: string, values: Item) => ({
  ConditionExpression: expression,
  ...(expression.includes('#') ? { ExpressionAttributeNames: used(expression) } : {}),
  ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
})

const updates: [what: string, expression: string, values: Item, before: Item, after: Item][] = [
  ['a counter', 'ADD visits :one', { ':one': n(1) }, {}, { visits: n(1) }],
  [
    'a counter, exactly',
    'ADD visits :one',
    { ':one': { N: '0.1' } },
    { visits: { N: '99999999999999999999.2' } },
    { visits: { N: '99999999999999999999.3' } },
  ],
  ['a set', 'ADD tags :more', { ':more': { SS: ['a', 'b'] } }, { tags: { SS: ['a'] } }, { tags: { SS: ['a', 'b'] } }],
  ['the last of a set', 'DELETE tags :gone', { ':gone': { SS: ['a'] } }, { tags: { SS: ['a'] } }, {}],
  ['arithmetic', 'SET a = b + :two, b = b - :two', { ':two': n(2) }, { b: n(5) }, { a: n(7), b: n(3) }],
  ['a default', 'SET a = if_not_exists(a, :zero)', { ':zero': n(0) }, {}, { a: n(0) }],
  ['a list', 'SET l = list_append(l, :more)', { ':more': { L: [n(2)] } }, { l: { L: [n(1)] } }, { l: { L: [n(1), n(2)] } }],
  ['an entry of a map', 'SET m.one = :v REMOVE m.two', { ':v': n(1) }, { m: { M: { two: n(2) } } }, { m: { M: { one: n(1) } } }],
]

/** Writes of one item: conditions, updates, limits. */
export const items: Case[] = [
  ...holding.map(
    ([expression, values]): Case => ({
      name: `a condition holds, and its opposite does not: ${expression}`,
      async run(t) {
        await putOne(t, full)
        await putOne(t, full, condition(expression, values))
        expect(await refused(putOne(t, full, condition(`NOT (${expression})`, values)))).toMatchObject({
          name: 'ConditionalCheckFailedException',
          item: undefined,
        })
      },
    }),
  ),
  ...updates.map(
    ([what, expression, values, before, after]): Case => ({
      name: `an update changes ${what}: ${expression}`,
      async run(t) {
        await putOne(t, { ...key('a'), ...before })
        const { Attributes } = await updateOne(t, key('a'), expression, values, { ReturnValues: 'ALL_NEW' })
        expect(sorted(Attributes)).toEqual({ ...key('a'), ...after })
        expect(sorted(await get(t, key('a')))).toEqual({ ...key('a'), ...after })
      },
    }),
  ),
  {
    name: 'a failed condition shows the item when asked (ReturnValuesOnConditionCheckFailure)',
    async run(t) {
      await putOne(t, { ...key('a'), n: n(1) })
      const shown = { ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }
      const Key = { TableName: t.table, Key: key('a') }
      const removal = new DeleteItemCommand({
        ...Key,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      })
      const attempts = [
        () => putOne(t, key('a'), shown),
        () => updateOne(t, key('a'), 'REMOVE n', undefined, shown),
        () => t.client.send(removal),
      ]
      for (const attempt of attempts) {
        expect(await refused(attempt())).toMatchObject({ name: 'ConditionalCheckFailedException', item: { ...key('a'), n: n(1) } })
      }
      const nobody = updateOne(t, key('nobody'), 'REMOVE n', undefined, { ...shown, ConditionExpression: 'attribute_exists(pk)' })
      expect((await refused(nobody)).item).toBeUndefined()
    },
  },
  {
    name: 'old and new values come back when asked',
    async run(t) {
      await putOne(t, { ...key('a'), n: n(1), m: n(1) })
      const bump = (ReturnValues: string) => updateOne(t, key('a'), 'ADD n :one', { ':one': n(1) }, { ReturnValues })
      expect((await bump('UPDATED_NEW')).Attributes).toEqual({ n: n(2) })
      expect((await bump('UPDATED_OLD')).Attributes).toEqual({ n: n(2) })
      expect((await bump('ALL_OLD')).Attributes).toEqual({ ...key('a'), n: n(3), m: n(1) })
      expect((await putOne(t, key('a'), { ReturnValues: 'ALL_OLD' })).Attributes).toEqual({ ...key('a'), n: n(4), m: n(1) })
      const { Attributes } = await t.client.send(new DeleteItemCommand({ TableName: t.table, Key: key('a'), ReturnValues: 'ALL_OLD' }))
      expect(Attributes).toEqual(key('a'))
    },
  },
  {
    name: 'an item holds 400 KB counted in UTF-8, names included, and not more',
    async run(t) {
      const room = 400 * 1024 - 'pkasktext'.length - 'x'.length
      await putOne(t, { ...key('a'), text: s('x'.repeat(room)) })
      await invalid(putOne(t, { ...key('a'), text: s('x'.repeat(room + 1)) }), /size has exceeded/)
      await putOne(t, { ...key('a'), text: s('é'.repeat(room / 2 - 1)) })
      await invalid(putOne(t, { ...key('a'), text: s('é'.repeat(room / 2 + 1)) }), /size has exceeded/)
      await invalid(updateOne(t, key('a'), 'SET more = :v', { ':v': s('xxxx') }), /size to update has exceeded/)
    },
  },
]

/** Sets have no order. */
function sorted(item: Item | undefined): Item | undefined {
  return (
    item &&
    Object.fromEntries(
      Object.entries(item).map(([name, value]): [string, AttributeValue] => [name, value.SS ? { SS: value.SS.toSorted() } : value]),
    )
  )
}
