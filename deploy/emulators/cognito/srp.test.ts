import { createHash, createHmac, getDiffieHellman, hkdfSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { beginExchange, isProven, type SrpExchange } from './srp.ts'

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`)
const POOL = 'dailygrnd'
const USER = '0b9e8b1c-0000-4000-8000-000000000001'

const hex = (number: bigint): string => {
  const digits = number.toString(16)
  const even = digits.length % 2 === 0 ? digits : `0${digits}`
  return /^[89a-f]/.test(even) ? `00${even}` : even
}
const hash = (digits: string): bigint => BigInt(`0x${createHash('sha256').update(Buffer.from(digits, 'hex')).digest('hex')}`)
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let b = ((base % N) + N) % N, e = exponent; e > 0n; e >>= 1n, b = (b * b) % N) if (e & 1n) result = (result * b) % N
  return result
}

/** The client's side, as the protocol has it (RFC 5054, 2.6), in numbers of script. */
function prove({ publicB, salt }: SrpExchange, password: string, a: bigint, secretBlock: string, timestamp: string): string {
  const identity = createHash('sha256').update(`${POOL}${USER}:${password}`).digest('hex')
  const x = hash(hex(BigInt(`0x${salt}`)) + identity)
  const u = hash(hex(power(2n, a)) + hex(publicB))
  const k = hash(hex(N) + hex(2n))
  const shared = power(publicB - k * power(2n, x), a + u * x)
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(hex(shared), 'hex'), Buffer.from(hex(u), 'hex'), 'Caldera Derived Key', 16))
  return createHmac('sha256', key).update(`${POOL}${USER}`).update(Buffer.from(secretBlock, 'base64')).update(timestamp).digest('base64')
}

const begin = (password: string, a: bigint): SrpExchange => {
  const exchange = beginExchange(POOL, USER, password, power(2n, a).toString(16))
  if (exchange === undefined) throw new Error('no exchange began')
  return exchange
}
const SECRET_BLOCK = Buffer.from('of the challenge').toString('base64')
const WHEN = 'Sat Nov 28 00:00:00 UTC 2026'

test('the right password is proven; another, or an altered proof, is not', () => {
  for (let a = 12_345_678_901_234_567_890n, n = 0; n < 4; a = a * a + 1n, a %= 1n << 256n, n++) {
    const password = `pässword ${n}`
    const exchange = begin(password, a)
    const signature = prove(exchange, password, a, SECRET_BLOCK, WHEN)
    const proof = { userId: USER, secretBlock: SECRET_BLOCK, timestamp: WHEN, signature }
    expect(isProven(exchange, POOL, proof)).toBe(true)
    expect(isProven(exchange, POOL, { ...proof, signature: prove(exchange, 'another', a, SECRET_BLOCK, WHEN) })).toBe(false)
    expect(isProven(exchange, POOL, { ...proof, timestamp: 'Sat Nov 28 00:00:01 UTC 2026' })).toBe(false)
    expect(isProven(exchange, POOL, { ...proof, secretBlock: SECRET_BLOCK.replace('b', 'c') })).toBe(false)
    expect(isProven(exchange, POOL, { ...proof, signature: '' })).toBe(false)
  }
})

test.each(['0', '000', N.toString(16), (N * 2n).toString(16), '', 'x', '-1', 'f'.repeat(1_025)])(
  'begins nothing with a public number of %s',
  a => {
    expect(beginExchange(POOL, USER, 'password', a)).toBeUndefined()
  },
)
