import { expect, test } from 'vitest'
import { commandMessage } from './command-message.ts'
import { commandId, isQueueId, queueId } from './ids.ts'
import { weigh } from './limits.ts'

const ids = [
  'user#a/state',
  'a b',
  'a  b',
  'a+b',
  'größe',
  'gro\u0308ße',
  'g',
  'g'.repeat(128),
  'g'.repeat(129),
  'g'.repeat(200),
  'g'.repeat(3_000),
  '😀',
  '\ud83d',
  '\ude00',
  '\ufffd',
  '\0',
  'tab\t',
  '',
]

test('whatever a key is, a queue takes its id, and two keys never share one', () => {
  // What a hash looks like belongs to the hashed alone.
  const keys = [...ids, ...ids.map(queueId).filter(id => !ids.includes(id))]
  const made = keys.map(queueId)
  for (const id of made) expect(isQueueId(id)).toBe(true)
  expect(new Set(made).size).toBe(keys.length)
  expect(keys.map(queueId)).toEqual(made)
})

test('what a queue takes already stands for itself', () => {
  const all = String.fromCharCode(...Array.from({ length: 94 }, (_, n) => 33 + n))
  for (const text of ['pair#a#b/state', all, 'g'.repeat(128)]) expect(queueId(text)).toBe(text)
})

test('a command’s id stays short however long its history, and the same', () => {
  const sweeps = Array.from({ length: 200 }).reduce<string[]>(
    all => [...all, commandId(`${all.at(-1)}.0`)],
    ['01980000-0000-7000-8000-000000000000'],
  )
  expect(new Set(sweeps).size).toBe(201)
  expect(Math.max(...sweeps.map(id => id.length))).toBeLessThanOrEqual(80)
})

test('every command can be sent, whatever its key', () => {
  const trace = { request: 'r', cause: null, traceparent: null }
  for (const text of ids.filter(id => id !== '')) {
    const message = commandMessage({ v: 1, id: text, type: 't', key: text, by: 'b', at: '2026-01-01T00:00:00.000Z', data: {}, trace })
    expect(() => weigh('x.fifo', message)).not.toThrow()
    expect(JSON.parse(message.body)).toHaveProperty('key')
  }
})
