import type { Keyspace, Value } from './keyspace.ts'
import { type Failure, OK, type Reply } from './resp.ts'

/** `args` has at least `least` and at most `most` entries, the command's name left out. */
export type Command = { least: number; most: number; run(keys: Keyspace, args: readonly string[]): Reply }

const MANY = Number.POSITIVE_INFINITY
const WRONG_TYPE: Failure = { failure: 'WRONGTYPE Operation against a key holding the wrong kind of value' }
const NOT_AN_INTEGER: Failure = { failure: 'ERR value is not an integer or out of range' }
const SYNTAX: Failure = { failure: 'ERR syntax error' }

const command = (least: number, most: number, run: Command['run']): Command => ({ least, most, run })

/** The commands on data, by lower-case name: those that the backplane uses, and no others. */
export const commands = new Map<string, Command>([
  ['get', command(1, 1, (keys, [key = '']) => text(keys, key))],
  ['mget', command(1, MANY, (keys, names) => names.map(key => (keys.get(key)?.kind === 'string' ? text(keys, key) : null)))],
  ['set', command(2, MANY, set)],
  ['del', command(1, MANY, (keys, names) => count(names, key => keys.delete(key)))],
  ['expire', command(2, 2, (keys, [key = '', seconds = '']) => expire(keys, key, integer(seconds), 1000))],
  ['pexpire', command(2, 2, (keys, [key = '', ms = '']) => expire(keys, key, integer(ms), 1))],
  ['ttl', command(1, 1, (keys, [key = '']) => left(keys, key, 1000))],
  ['pttl', command(1, 1, (keys, [key = '']) => left(keys, key, 1))],
  ['sadd', command(2, MANY, (keys, [key = '', ...members]) => addMembers(keys, key, members))],
  ['srem', command(2, MANY, (keys, [key = '', ...members]) => removeMembers(keys, key, members))],
  ['smembers', command(1, 1, (keys, [key = '']) => ofKind(keys, key, 'set', [], ({ members }) => [...members]))],
  ['scard', command(1, 1, (keys, [key = '']) => ofKind(keys, key, 'set', 0, ({ members }) => members.size))],
  ['hset', command(3, MANY, (keys, [key = '', ...pairs]) => setFields(keys, key, pairs))],
  ['hdel', command(2, MANY, (keys, [key = '', ...names]) => deleteFields(keys, key, names))],
  ['hgetall', command(1, 1, (keys, [key = '']) => ofKind(keys, key, 'hash', [], ({ fields }) => [...fields].flat()))],
  ['rpush', command(2, MANY, (keys, [key = '', ...items]) => append(keys, key, items))],
  ['lrange', command(3, 3, range)],
  ['ltrim', command(3, 3, trim)],
  ['flushall', command(0, 1, flush)],
])

function flush(keys: Keyspace): Reply {
  keys.clear()
  return OK
}

function text(keys: Keyspace, key: string): Reply {
  return ofKind(keys, key, 'string', null, value => value.text)
}

function set(keys: Keyspace, [key = '', value = '', ...options]: readonly string[]): Reply {
  let expiresAt: number | undefined
  let condition: string | undefined
  for (let at = 0; at < options.length; at++) {
    const option = options[at]?.toLowerCase()
    if ((option === 'nx' || option === 'xx') && condition === undefined) {
      condition = option
    } else if ((option === 'ex' || option === 'px') && expiresAt === undefined) {
      const time = integer(options[++at] ?? '')
      if (time === undefined) return at < options.length ? NOT_AN_INTEGER : SYNTAX
      if (time <= 0) return { failure: "ERR invalid expire time in 'set' command" }
      expiresAt = performance.now() + time * (option === 'ex' ? 1000 : 1)
    } else {
      return SYNTAX
    }
  }
  if (condition !== undefined && (condition === 'nx') === (keys.get(key) !== undefined)) return null
  keys.set(key, { kind: 'string', text: value }, expiresAt)
  return OK
}

function expire(keys: Keyspace, key: string, time: number | undefined, unit: number): Reply {
  return time === undefined ? NOT_AN_INTEGER : Number(keys.expireAt(key, performance.now() + time * unit))
}

/** -2 without such a key, -1 when it does not expire. */
function left(keys: Keyspace, key: string, unit: number): Reply {
  if (keys.get(key) === undefined) return -2
  const time = keys.expiry(key)
  return time === undefined ? -1 : Math.round((time - performance.now()) / unit)
}

function addMembers(keys: Keyspace, key: string, members: string[]): Reply {
  if (keys.get(key) === undefined) keys.set(key, { kind: 'set', members: new Set() })
  return ofKind(keys, key, 'set', 0, value =>
    count(members, member => !value.members.has(member) && value.members.add(member) !== undefined),
  )
}

function removeMembers(keys: Keyspace, key: string, members: string[]): Reply {
  return ofKind(keys, key, 'set', 0, value => {
    const removed = count(members, member => value.members.delete(member))
    if (value.members.size === 0) keys.delete(key)
    return removed
  })
}

function setFields(keys: Keyspace, key: string, pairs: string[]): Reply {
  if (pairs.length % 2 === 1) return { failure: "ERR wrong number of arguments for 'hset' command" }
  if (keys.get(key) === undefined) keys.set(key, { kind: 'hash', fields: new Map() })
  return ofKind(keys, key, 'hash', 0, ({ fields }) => {
    const before = fields.size
    for (let at = 0; at < pairs.length; at += 2) fields.set(pairs[at] ?? '', pairs[at + 1] ?? '')
    return fields.size - before
  })
}

function deleteFields(keys: Keyspace, key: string, names: string[]): Reply {
  return ofKind(keys, key, 'hash', 0, ({ fields }) => {
    const removed = count(names, name => fields.delete(name))
    if (fields.size === 0) keys.delete(key)
    return removed
  })
}

function append(keys: Keyspace, key: string, items: string[]): Reply {
  if (keys.get(key) === undefined) keys.set(key, { kind: 'list', items: [] })
  return ofKind(keys, key, 'list', 0, list => list.items.push(...items))
}

/** Both ends belong to it; negative ones count from the end. */
function range(keys: Keyspace, [key = '', first = '', last = '']: readonly string[]): Reply {
  const [from, to] = [integer(first), integer(last)]
  if (from === undefined || to === undefined) return NOT_AN_INTEGER
  return ofKind(keys, key, 'list', [], ({ items }) => {
    const at = (index: number) => (index < 0 ? Math.max(0, items.length + index) : index)
    return to < -items.length ? [] : items.slice(at(from), at(to) + 1)
  })
}

/** Keeps what `range` gives. */
function trim(keys: Keyspace, [key = '', first = '', last = '']: readonly string[]): Reply {
  const kept = range(keys, [key, first, last])
  if (!Array.isArray(kept)) return kept
  return ofKind(keys, key, 'list', OK, list => {
    list.items = kept.map(String)
    if (list.items.length === 0) keys.delete(key)
    return OK
  })
}

function ofKind<K extends Value['kind']>(
  keys: Keyspace,
  key: string,
  kind: K,
  none: Reply,
  read: (value: Extract<Value, { kind: K }>) => Reply,
): Reply {
  const value = keys.get(key)
  if (value === undefined) return none
  return isKind(value, kind) ? read(value) : WRONG_TYPE
}

function isKind<K extends Value['kind']>(value: Value, kind: K): value is Extract<Value, { kind: K }> {
  return value.kind === kind
}

function count(items: readonly string[], test: (item: string) => boolean): number {
  return items.filter(test).length
}

function integer(value: string): number | undefined {
  const number = Number(value)
  return /^-?\d+$/.test(value) && Number.isSafeInteger(number) ? number : undefined
}
