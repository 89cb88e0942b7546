import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from './sha256.ts'

test('digests as the platform does, over every length of padding and beyond a block', () => {
  const platform = (text: string) => createHash('sha256').update(text).digest('hex')
  const ours = (text: string) => Buffer.from(sha256(text)).toString('hex')
  for (let length = 0; length <= 130; length++) expect(ours('x'.repeat(length))).toBe(platform('x'.repeat(length)))
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), text => ours(text) === platform(text)))
})
