import type { z } from 'zod'

/** What zod finds wrong, in words for people who have never heard of it. Messages that the contract itself gives are left as they are. */

type Issue = Parameters<z.core.$ZodErrorMap>[0]

const NOUNS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  bigint: 'a whole number',
  object: 'an object',
  record: 'an object',
  map: 'an object',
  array: 'a list',
  tuple: 'a list',
  set: 'a list',
  date: 'a date',
  null: 'null',
  undefined: 'left out',
  never: 'left out',
}
const nounOf = (expected: string) => NOUNS[expected] ?? `of type ${expected}`
const kindOf = (input: unknown): string => {
  if (input === null) return 'null'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'number' && !Number.isInteger(input)) return Number.isFinite(input) ? 'a number with a fraction' : 'infinity'
  return nounOf(typeof input)
}

/** The formats that have a name people know. */
const FORMATS: Readonly<Record<string, string>> = {
  date: 'a date such as 1990-12-31',
  datetime: 'a time such as 2026-11-20T09:00:00.000Z',
  url: 'an absolute address',
  uuid: 'a UUID',
  guid: 'a UUID',
  email: 'an e-mail address',
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries', set: 'entries', map: 'entries', file: 'bytes' }
const sizeOf = (input: unknown): number | undefined => {
  if (typeof input === 'string' || Array.isArray(input)) return input.length
  return input instanceof Set || input instanceof Map ? input.size : undefined
}
/** @param words what is asked of a number, and of a number of things */
const boundOf = (origin: string, [ofNumber, ofCount]: readonly [string, string], bound: number | bigint, input: unknown) => {
  const unit = UNITS[origin]
  if (unit === undefined) return `must be ${ofNumber} ${bound}`
  const size = sizeOf(input)
  return `must have ${ofCount} ${bound} ${unit}${size === undefined ? '' : `, not ${size}`}`
}

const MAX_NAMED = 20
const listOf = (values: readonly unknown[]) => {
  const named = values.slice(0, MAX_NAMED).map(v => (typeof v === 'bigint' ? String(v) : JSON.stringify(v)))
  return named.join(', ') + (values.length > MAX_NAMED ? ', …' : '')
}

/** Says what is wrong, to follow the name of the field: `is required`. */
export const describeIssue = (issue: Issue): string => {
  const { input } = issue
  if (input === undefined && issue.code !== 'custom' && issue.code !== 'unrecognized_keys') return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nounOf(issue.expected)}, not ${kindOf(input)}`
    case 'too_big':
      return boundOf(issue.origin, issue.inclusive === false ? ['less than', 'fewer than'] : ['at most', 'at most'], issue.maximum, input)
    case 'too_small':
      return boundOf(issue.origin, issue.inclusive === false ? ['more than', 'more than'] : ['at least', 'at least'], issue.minimum, input)
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'of another form'}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return `must not have ${listOf(issue.keys)}`
    case 'invalid_value':
      return issue.values.length === 1 ? `must be ${listOf(issue.values)}` : `must be one of ${listOf(issue.values)}`
    case 'invalid_union':
      return 'has none of the forms that it may have'
    case 'invalid_key':
      return 'has a name that it must not have'
    case 'invalid_element':
      return 'has an entry that it must not have'
    case 'custom':
      return 'is not valid'
  }
}
