import { createECDH, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PushSubscription } from '../../contracts/push.ts'

const keysOf = (p256dh: Buffer | string, auth: Buffer | string) => {
  const text = (x: Buffer | string) => (typeof x === 'string' ? x : x.toString('base64url'))
  const subscription = { endpoint: 'https://fcm.googleapis.com/fcm/send/x', keys: { p256dh: text(p256dh), auth: text(auth) } }
  return PushSubscription.safeParse(subscription).data?.keys
}
const publicKey = (format: 'uncompressed' | 'compressed' | 'hybrid') => {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  return pair.getPublicKey(null, format)
}
const point = () => publicKey('uncompressed')
const auth = randomBytes(16)
const P = Buffer.from('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff', 'hex')

test('every point of the curve is taken, in either alphabet, padded or not, and kept in one form', () => {
  for (let i = 0; i < 50; i++) {
    const key = point()
    const kept = { p256dh: key.toString('base64url'), auth: auth.toString('base64url') }
    expect(keysOf(key, auth)).toEqual(kept)
    expect(keysOf(key.toString('base64'), auth.toString('base64'))).toEqual(kept)
    expect(keysOf(`${kept.p256dh}=`, `${kept.auth}==`)).toEqual(kept)
  }
})
describe('no key is', () => {
  const key = point()
  const changed = (at: number, to: (byte: number) => number) => {
    const other = Buffer.from(key)
    other[at] = to(other[at] ?? 0)
    return other
  }
  const bytes = (...parts: Buffer[]) => Buffer.concat([Buffer.from([4]), ...parts])
  const none: Record<string, Buffer | string> = {
    'what only looks like one': bytes(Buffer.alloc(64, 7)),
    'the origin': bytes(Buffer.alloc(64)),
    'a neighbour of a point': changed(64, b => b ^ 1),
    'a compressed point': publicKey('compressed'),
    'a hybrid point': publicKey('hybrid'),
    'a point of another curve': createECDH('secp256k1').generateKeys(),
    'a coordinate beyond the prime': bytes(P, key.subarray(33)),
    'one byte less': key.subarray(0, 64),
    'one byte more': Buffer.concat([key, Buffer.from([0])]),
    nothing: '',
    'a mixture of alphabets': key.toString('base64url').replace(/^.{4}/, 'B-A/'),
    'with a space': `${key.toString('base64url')} `,
    'with too much padding': `${key.toString('base64url')}==`,
    'with bits to spare that are set': `${key.toString('base64url').slice(0, -1)}${String.fromCharCode(key.toString('base64url').charCodeAt(86) + 1)}`,
  }
  for (const [what, given] of Object.entries(none))
    test(what, () => {
      expect(keysOf(given, auth)).toBeUndefined()
    })
})
test('a secret has exactly 16 bytes', () => {
  const key = point()
  for (const bad of [
    randomBytes(15),
    randomBytes(17),
    '',
    'BTBZMqHH6r4Tts7J_aSIgh',
    'BTBZMqHH6r4Tts7J_aSIgg=',
    'BTBZMqHH6r4Tts7J+aSI_g',
    'BTBZMqHH6r4T ts7J_aSIgg',
  ])
    expect(keysOf(key, bad), String(bad)).toBeUndefined()
})
test('an endpoint is an address in ASCII that fits after it was normalised, too', () => {
  const kept = (endpoint: string) =>
    PushSubscription.safeParse({ endpoint, keys: { p256dh: point().toString('base64url'), auth: auth.toString('base64url') } }).data
      ?.endpoint
  expect(kept('https://FCM.googleapis.com/a/../b')).toBe('https://fcm.googleapis.com/b')
  for (const bad of [
    'https://例え.jp/',
    'https://ｆcm.googleapis.com/',
    'https://fcm.googleapis.com/ü',
    'https://fcm.google\napis.com/',
    ' https://fcm.googleapis.com/',
    'https:/',
    'mailto:a@b',
    `https://${'a.'.repeat(300)}de/`,
  ])
    expect(kept(bad), bad).toBeUndefined()
  // each of these is three characters in the normal form
  expect(kept(`https://fcm.googleapis.com/${'{'.repeat(1000)}`)).toBeUndefined()
  const long = kept(`https://fcm.googleapis.com/${'{'.repeat(600)}`) ?? ''
  expect(kept(long)).toBe(long)
})
