import { expect, test } from 'vitest'
import { counted, moment, span, table } from './table.ts'

test('columns are as wide as they must be, numbers stand to the right', () => {
  expect(
    table(
      ['QUEUE', ' DEAD', 'WHY'],
      [
        ['posts.fifo', '2', 'poison'],
        ['users-events', '1200', ''],
      ],
    ),
  ).toEqual([
    'QUEUE         DEAD  WHY', //
    'posts.fifo       2  poison',
    'users-events  1200',
  ])
})

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1_000, '1.0 s'],
  [59_400, '59 s'],
  [61_000, '1 min'],
  [7_300_000, '2 h'],
  [300_000_000, '3 d'],
])('%d ms is %s', (ms, text) => expect(span(ms)).toBe(text))

test('moments and counts', () => {
  expect(moment(Date.parse('2026-11-20T09:00:01.999Z'))).toBe('2026-11-20 09:00:01Z')
  expect([counted(1, 'dead letter'), counted(0, 'dead letter'), counted(2, 'thing is', 'things are')]).toEqual([
    '1 dead letter',
    '0 dead letters',
    '2 things are',
  ])
})
