import { expect, test } from 'vitest'
import { createKeyspace, type Value } from './keyspace.ts'

const text: Value = { kind: 'string', text: 'v' }

function clocked() {
  let time = 0
  const keys = createKeyspace(() => time)
  return {
    keys,
    at(now: number) {
      time = now
    },
  }
}

test('a key whose time has come is gone, whoever looks', () => {
  const { keys, at } = clocked()
  for (const key of ['a', 'b', 'c', 'd']) keys.set(key, text, 10)
  at(9)
  expect([keys.get('a'), keys.expiry('a')]).toEqual([text, 10])
  at(10)
  expect(keys.get('a')).toBeUndefined()
  expect(keys.expiry('b')).toBeUndefined()
  expect(keys.delete('c')).toBe(false)
  expect(keys.expireAt('d', 20)).toBe(false)
  expect(keys.size()).toBe(0)
})

test('setting again forgets the old time', () => {
  const { keys, at } = clocked()
  keys.set('a', text, 10)
  keys.set('a', text)
  at(100)
  keys.sweep(10)
  expect(keys.get('a')).toEqual(text)
})

test('a sweep is bounded, goes round, and frees what nobody looks at', () => {
  const { keys, at } = clocked()
  for (let n = 0; n < 100; n++) keys.set(`long-${n}`, text, 1_000)
  for (let n = 0; n < 100; n++) keys.set(`short-${n}`, text, 10)
  keys.set('for ever', text)
  at(10)
  keys.sweep(150)
  expect(keys.size()).toBe(151)
  keys.sweep(150)
  keys.sweep(150)
  expect(keys.size()).toBe(101)
  at(1_000)
  for (let n = 0; n < 4; n++) keys.sweep(150)
  expect(keys.size()).toBe(1)
})
