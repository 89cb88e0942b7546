import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { Condition, StoreWrite } from './port.ts'
import { additions, placeOf } from './writes.ts'

export type Attributes = Record<string, AttributeValue>

/** Optional fields that are not given are undefined, and not stored. Anything else that is no plain value is refused. */
export const toAttributes = (value: object): Attributes => marshall(value, { removeUndefinedValues: true })

/** Names and values of one request's expressions. All names are placeholders, because DynamoDB reserves some 570 words. */
const placeholders = () => {
  const names: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  return {
    name: (name: string): string => {
      const placeholder = `#${Object.keys(names).length}`
      names[placeholder] = name
      return placeholder
    },
    value: (value: unknown): string => {
      const placeholder = `:${Object.keys(values).length}`
      values[placeholder] = value
      return placeholder
    },
    /** DynamoDB refuses an empty set of either. */
    used: () => ({
      ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: names } : {}),
      ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: toAttributes(values) } : {}),
    }),
  }
}
type Placeholders = ReturnType<typeof placeholders>

const EXISTS = 'attribute_exists(pk)'
const MISSING = 'attribute_not_exists(pk)'

/** Whether the item is past its time: it counts as gone, although it may lie there for days until DynamoDB removes it. False when it has no end. */
const expired = (p: Placeholders, now: number): string => `${p.name('expiresAt')} <= ${p.value(now / 1000)}`

/** The condition of a put: an item that counts as gone has no version and no attributes. */
const beforePut = (p: Placeholders, when: Condition, now: number): string => {
  if ('absent' in when) return `attribute_not_exists(${p.name(when.absent)}) OR ${expired(p, now)}`
  if (when.version === 0) return `${MISSING} OR ${expired(p, now)}`
  return `${p.name('version')} = ${p.value(when.version)} AND NOT ${expired(p, now)}`
}

const beforeSet = (p: Placeholders, when: Condition | undefined, now: number): string => {
  const there = `${EXISTS} AND NOT ${expired(p, now)}`
  if (when === undefined) return there
  if ('absent' in when) return `${there} AND attribute_not_exists(${p.name(when.absent)})`
  return when.version === 0 ? `${there} AND ${MISSING}` : `${there} AND ${p.name('version')} = ${p.value(when.version)}`
}

const setOrRemove = (p: Placeholders, values: Readonly<Record<string, unknown>>): string => {
  const set = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${p.name(name)} = ${p.value(value)}`]))
  const remove = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [p.name(name)] : []))
  return [...(set.length > 0 ? [`SET ${set.join(', ')}`] : []), ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : [])].join(' ')
}

const beforeAdd = (p: Placeholders, write: Extract<StoreWrite, { by: unknown }>, now: number): string => {
  const bounds = additions(write).flatMap(({ name, amount, bound }) => {
    if ('least' in bound) return [`${p.name(name)} >= ${p.value(bound.least - amount)}`]
    if (bound.most === Number.POSITIVE_INFINITY) return []
    const before = bound.most - amount
    const within = `${p.name(name)} <= ${p.value(before)}`
    // An absent number is 0.
    return [before >= 0 ? `(attribute_not_exists(${p.name(name)}) OR ${within})` : within]
  })
  return [`NOT ${expired(p, now)}`, ...bounds].join(' AND ')
}

/** A write as an entry of TransactWriteItems. @param now epoch ms */
export const transactItem = (prefix: string, write: StoreWrite, now: number): TransactWriteItem => {
  const p = placeholders()
  const { table, pk, sk } = placeOf(write)
  const TableName = `${prefix}${table}`
  if ('put' in write) {
    const condition = write.when && { ConditionExpression: beforePut(p, write.when, now) }
    return { Put: { TableName, Item: toAttributes(write.put), ...condition, ...p.used() } }
  }
  const Key = toAttributes({ pk, sk })
  if ('remove' in write) return { Delete: { TableName, Key } }
  if ('check' in write) return { ConditionCheck: { TableName, Key, ConditionExpression: beforePut(p, write.when, now), ...p.used() } }
  const update =
    'set' in write
      ? { UpdateExpression: setOrRemove(p, write.values), ConditionExpression: beforeSet(p, write.when, now) }
      : {
          UpdateExpression: `ADD ${additions(write)
            .map(({ name, amount }) => `${p.name(name)} ${p.value(amount)}`)
            .join(', ')}`,
          ConditionExpression: beforeAdd(p, write, now),
        }
  return { Update: { TableName, Key, ...update, ...p.used() } }
}
