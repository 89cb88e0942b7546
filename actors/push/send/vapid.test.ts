import { createECDH } from 'node:crypto'
import { expect, test } from 'vitest'
import { vapidAuthorization } from './vapid.ts'

const pair = () => {
  const keys = createECDH('prime256v1')
  return { publicKey: keys.generateKeys('base64url'), privateKey: keys.getPrivateKey('base64url'), subject: 'mailto:push@example.org' }
}
const claimsOf = (header: string): unknown => JSON.parse(Buffer.from(header.split('.')[1] ?? '', 'base64url').toString('utf8'))

test('a signature is kept for an origin, and made anew long before it ends', () => {
  let now = Date.parse('2026-11-20T00:00:00.000Z')
  const authorization = vapidAuthorization(pair(), () => now)
  const first = authorization('https://push.example')
  expect(claimsOf(first)).toEqual({ aud: 'https://push.example', exp: now / 1000 + 12 * 3600, sub: 'mailto:push@example.org' })
  now += 5 * 3_600_000
  expect(authorization('https://push.example')).toBe(first)
  expect(claimsOf(authorization('https://other.example'))).toMatchObject({ aud: 'https://other.example' })
  now += 2 * 3_600_000
  expect(claimsOf(authorization('https://push.example'))).toMatchObject({ exp: now / 1000 + 12 * 3600 })
  // Set back by more than a service takes a token for, the clock must not keep one that ends after a day.
  now -= 13 * 3_600_000
  expect(claimsOf(authorization('https://push.example'))).toMatchObject({ exp: now / 1000 + 12 * 3600 })
})

test('keys that are none, or no pair, are refused by name', () => {
  const [one, two] = [pair(), pair()]
  expect(() => vapidAuthorization({ ...one, privateKey: 'x' }, Date.now)).toThrow('VAPID_PRIVATE_KEY')
  expect(() => vapidAuthorization({ ...one, publicKey: two.publicKey }, Date.now)).toThrow('VAPID_PUBLIC_KEY')
})
