import { expect, test } from 'vitest'
import { repeats } from './repeats.ts'

test('an event is told to each person once, to others when they are named later', () => {
  const { fresh } = repeats()
  expect(fresh('e', ['ana', 'ben'])).toEqual(['ana', 'ben'])
  expect(fresh('e', ['ben', 'cleo'])).toEqual(['cleo'])
  expect(fresh('e', ['ana', 'cleo'])).toEqual([])
  expect(fresh('f', ['ana'])).toEqual(['ana'])
})

test('the oldest are forgotten when there are too many', () => {
  const { fresh } = repeats(3)
  for (const id of ['a', 'b', 'c', 'd']) fresh(id, ['ana'])
  expect(fresh('d', ['ana'])).toEqual([])
  expect(fresh('a', ['ana'])).toEqual(['ana'])
})
