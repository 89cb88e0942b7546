import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatFlag, quoteWord } from './shell.ts'

const words = [
  '',
  '.data',
  '/srv/mesh',
  'x y#z',
  "it's",
  '"',
  '$HOME',
  '`id`',
  '~',
  '*',
  'a;b',
  'a\nb',
  '\\',
  '-x',
  '--data',
  '!!',
  '{a,b}',
  'ü',
  '&',
  '>x',
]
const readBy = (line: string): string[] => {
  const text = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
  return text.split('\0').slice(0, -1)
}

test('a shell reads back what was quoted', () => {
  expect(readBy(words.map(quoteWord).join(' '))).toEqual(words)
  const text = fc.string({ unit: 'binary' }).filter(word => !word.includes('\0'))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), all => {
      expect(readBy(all.map(quoteWord).join(' '))).toEqual(all)
    }),
    { numRuns: 30 },
  )
})

test('what needs no quotes has none', () => {
  expect(quoteWord('/srv/mesh-1/.data')).toBe('/srv/mesh-1/.data')
})

test.each(words.filter(word => word !== ''))('a flag keeps its value: %j', value => {
  const { values } = parseArgs({ args: readBy(formatFlag('data', value)), options: { data: { type: 'string' } } })
  expect(values.data).toBe(value)
})
