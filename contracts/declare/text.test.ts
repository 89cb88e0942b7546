import { describe, expect, test } from 'vitest'
import { line, text } from './text.ts'

const name = line(1, 80)
const bio = text(1, 2000)
const takes = (schema: typeof name, given: string) => schema.safeParse(given).success
const why = (schema: typeof name, given: string) => schema.safeParse(given).error?.issues[0]?.message

const INVISIBLE = [
  '',
  ' ',
  '\u00a0',
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u115f',
  '\u1160',
  '\u1680',
  '\u17b4',
  '\u180b',
  '\u180e',
  '\u2000',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u202f',
  '\u205f',
  '\u2060',
  '\u2064',
  '\u2800',
  '\u3000',
  '\u3164',
  '\ufe0e',
  '\ufe0f',
  '\ufeff',
  '\uffa0',
  '\ufffc',
  '\u0301',
  '\u20e3',
  '\ue000',
  '\u0378',
  '\u{1bca0}',
  '\u{1d159}',
  '\u{1d173}',
  '\u{e0001}',
  '\u{e0100}',
  '\u{f0000}',
]
test.each([...INVISIBLE, INVISIBLE.join(''), '\u200b\u200b \u3164'])('nothing is to be seen of %j', given => {
  expect([takes(name, given), takes(bio, given), line(0, 80).safeParse(given).data ?? '']).toEqual([false, false, ''])
})
test('what draws nothing is called blank', () => {
  for (const given of ['\u200b', '\u3164', '\u2800', '\u200d', ' \u00ad ', '\u0301'])
    expect(why(name, given), given).toBe('must not be blank')
})

const HONEST = [
  'Ana',
  'Zoë',
  'Z',
  '李',
  'می‌خواهم',
  'هـ‍',
  'क्‍ष',
  '👩‍👩‍👧',
  '❤️',
  '1️⃣',
  '🇩🇪',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '🏴󠁧󠁢󠁳󠁣󠁴󠁿 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿',
  '葛󠄀',
  'O’Neill-Smith',
  '.',
  'של\u200fום',
  '\u2122',
]
test.each(HONEST)('%s is taken as it is', given => {
  expect([name.parse(given), bio.parse(given)]).toEqual([given, given])
})

describe('a line holds nothing that', () => {
  const wrong = {
    'ends it': ['a\nb', 'a\rb', 'a\u2028b', 'a\u2029b', 'a\u0085b', 'a\vb', 'a\fb'],
    'is a control': ['a\tb', 'a\u0000b', 'a\u0007b', 'a\u001bb', 'a\u007fb', 'a\u009bb'],
    'turns what follows': ['a\u202ab', 'a\u202bb\u202c', 'a\u202db', 'a\u202eb', 'a\u2066b', 'a\u2067b\u2069', 'a\u2068b', 'a\u2069b'],
    hides: [
      'a\u{e0041}b',
      'a\u{e0001}b',
      '🏴\u{e0067}\u{e0062}',
      '🏴\u{e0061}\u{e0061}\u{e0061}\u{e007f}',
      'a\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    ],
    'Unicode deprecates': ['a\u206eb', 'a\ufff9b\ufffac\ufffb'],
  }
  for (const [what, texts] of Object.entries(wrong))
    test.each(texts)(`${what}: %j`, given => {
      expect(why(name, given)).toMatch(/^must not hold U\+[\dA-F]{4,5},/)
    })
})

describe('a text of several lines', () => {
  test.each([
    'a\nb',
    'a\r\n\r\nb',
    '\ta\n\tb',
    'a\u2028b\u2029c',
    'a \u2067b\u2069 c',
    'a \u202bb \u2066c\u2069\u202c d',
    'x\u2066y\u2067z\u2069\u2069',
  ])('keeps %j', given => {
    expect(bio.parse(`.${given}`)).toBe(`.${given}`)
  })
  test.each([
    'a\u0000b',
    'a\u001bb',
    'a\u0085b',
    'a\u202eb\u202c',
    'a\u202ab',
    'a\u2067b',
    'a\u202cb',
    'a\u2069b',
    'a\u2067b\n\u2069',
    'a\u202bb\u2069',
    'a\u{e0041}b',
  ])('refuses %j', given => {
    expect(why(bio, given)).toMatch(/^must not hold U\+[\dA-F]{4,5},/)
  })
})

test('half of a surrogate pair is no text', () => {
  for (const given of ['\ud83d', 'a\ude00b', '\ude00\ud83d', `${'a'.repeat(10)}\ud83d`])
    expect([why(name, given), why(bio, given)], given).toEqual(Array(2).fill('must not hold half of a surrogate pair'))
})

test('lengths are code points of what is left after trimming', () => {
  expect(name.parse(`\u200b \ufeff\n${'😀'.repeat(80)}\u3164\t\u00a0`)).toBe('😀'.repeat(80))
  expect(why(name, '😀'.repeat(81))).toBe('must have at most 80 characters, not 81')
  expect(name.parse(`${' '.repeat(60_000)}x`)).toBe('x')
  expect(why(text(3, 9), 'ab')).toBe('must have at least 3 characters')
  expect(text(0, 9).parse('  ')).toBe('')
})

test('what was taken is taken again as it is', () => {
  for (const given of [...HONEST, ' a ', '\u200bb\u200b', 'a\u200d ']) expect(name.parse(name.parse(given))).toBe(name.parse(given))
})
