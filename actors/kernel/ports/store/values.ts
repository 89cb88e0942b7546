import type { Place } from '../../../../contracts/declare/records.ts'
import { spoken } from './keys.ts'
import { Unstorable } from './port.ts'

/** What an item may weigh, names and all: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MOST_BYTES = 400 * 1024

export const isTooLarge = (item: object): boolean => bytesOf(item) > MOST_BYTES
export const tooLarge = (places: readonly Place[]): Error =>
  new Unstorable(`larger than the 400 KB of an item: ${places.map(spoken).join(', ')}`)

/** The size of a value as DynamoDB counts it; numbers are estimated. */
const bytesOf = (value: unknown): number => {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value === 'number') return 1 + String(value).length / 2
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + 1 + bytesOf(one), 3)
  if (typeof value !== 'object' || value === null) return 1
  return Object.entries(value).reduce((sum, [name, one]) => sum + (one === undefined ? 0 : Buffer.byteLength(name) + 1 + bytesOf(one)), 3)
}

const isPlainObject = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * A copy that shares nothing with the value, without what is undefined.
 * @throws an error that says where, when it holds what DynamoDB cannot keep: a date, a function, a number beyond what is exact
 */
export const copied = (value: unknown, at: string): unknown => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') {
    if (Number.isNaN(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new Unstorable(`cannot store ${at}: ${value} is not exact`)
    // DynamoDB knows no -0.
    return value + 0
  }
  if (Array.isArray(value)) return value.filter(one => one !== undefined).map((one, i) => copied(one, `${at}[${i}]`))
  if (typeof value !== 'object' || !isPlainObject(value))
    throw new Unstorable(`cannot store ${at}: it is a ${Object.prototype.toString.call(value).slice(8, -1)}`)
  const copy: Record<string, unknown> = {}
  for (const name in value) if (value[name] !== undefined) copy[name] = copied(value[name], `${at}.${name}`)
  return copy
}
