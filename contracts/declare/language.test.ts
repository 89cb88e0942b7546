import { expect, test } from 'vitest'
import { ProfilePatch } from '../users.ts'

const takes = (language: string) => ProfilePatch.safeParse({ language }).success

// RFC 5646, appendix A, and its irregular tags.
const TAGS =
  `de fr ja i-enochian zh-Hant zh-Hans sr-Cyrl sr-Latn zh-cmn-Hans-CN cmn-Hans-CN zh-yue-HK yue-HK zh-Hans-CN sr-Latn-RS sl-rozaj sl-rozaj-biske
sl-nedis de-CH-1901 sl-IT-nedis hy-Latn-IT-arevela de-DE en-US es-419 de-CH-x-phonebk az-Arab-x-AZE-derbend x-whatever qaa-Qaaa-QM-x-southern de-Qaaa
sr-Latn-QM sr-Qaaa-RS en-US-u-islamcal zh-CN-a-myext-x-private en-a-myext-b-another x-default x-a-b i-klingon i-default sgn-BE-FR SGN-be-nl en-GB-oed art-lojban zh-min-nan
no-bok zh-xiang en-u-ca-gregory-t-de und mul EN-us zh-cmn-aaa-bbb abcd abcdefgh de-1996 a1-x`
    .split(/\s+/)
    .slice(0, -1)
test.each(TAGS)('%s is a language tag', tag => {
  expect(takes(tag)).toBe(true)
})

const OTHERS = [
  ...'de-419-DE a-DE ar-a-aaa-b-bbb-a-ccc e en_US en--US -en en- x x- i i-nonsense 12 en-x en-a en-u abcdefghi en-abcdefghi de-1996-1996 de-rozaj-rozaj en-US-US en-Latn-Latn zh-aaa-bbb-ccc-ddd i-klingon-x sgn-BE-FR-x'.split(
    ' ',
  ),
  '',
  ' en',
  'en ',
  'en\n',
  'en-Ωω',
  'ſl',
  `en-u-${'aa-'.repeat(10)}bb`,
  `x-${'a'.repeat(9)}`,
  `en-x-${Array(16).fill('a').join('-')}`,
]
test.each(OTHERS)('%j is none', tag => {
  expect(takes(tag)).toBe(false)
})
test('35 characters are the most', () => {
  const longest = 'en-x-12345678-12345678-12345678-123'
  expect([longest.length, takes(longest), takes(`${longest}4`)]).toEqual([35, true, false])
})
