import { createDiffieHellman, createHash, createHmac, getDiffieHellman, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/*
 * The server's side of Secure Remote Password 6a as Cognito speaks it: the 3072-bit group of RFC 3526 (`modp15`), g = 2, SHA-256, and a key of 16 bytes by
 * HKDF with "Caldera Derived Key". Its clients are amazon-cognito-identity-js and Amplify; numbers are hashed padded as theirs are.
 */
const PRIME = getDiffieHellman('modp15').getPrime()
const N = toNumber(PRIME)
const G = 2n
const K = toNumber(sha256(bytesOf(N), bytesOf(G)))
const KEY_INFO = 'Caldera Derived Key'
const KEY_BYTES = 16
const SALT_BYTES = 16
const EXPONENT_BYTES = 32

/** What the server keeps between its challenge and the answer. */
export type SrpExchange = {
  readonly a: bigint
  readonly b: bigint
  readonly verifier: bigint
  readonly publicB: bigint
  readonly salt: string
}
export type SrpProof = { readonly userId: string; readonly secretBlock: string; readonly timestamp: string; readonly signature: string }

/**
 * @param pool the pool's name without its region
 * @param publicA the client's public number, as hexadecimal digits
 * @returns undefined when `publicA` is none that may be answered: A mod N = 0 would make the key known to whoever sent it, without any password.
 */
export function beginExchange(pool: string, userId: string, password: string, publicA: string): SrpExchange | undefined {
  if (!/^[0-9a-f]{1,1024}$/i.test(publicA)) return undefined
  const a = BigInt(`0x${publicA}`)
  if (a % N === 0n) return undefined
  const salt = toNumber(randomBytes(SALT_BYTES))
  const x = toNumber(sha256(bytesOf(salt), sha256(Buffer.from(`${pool}${userId}:${password}`))))
  const verifier = power(G, x)
  const b = toNumber(randomBytes(EXPONENT_BYTES))
  return { a, b, verifier, publicB: (K * verifier + power(G, b)) % N, salt: salt.toString(16) }
}

/** Whether the answer proves the password that the exchange began with. */
export function isProven(exchange: SrpExchange, pool: string, { userId, secretBlock, timestamp, signature }: SrpProof): boolean {
  const u = toNumber(sha256(bytesOf(exchange.a), bytesOf(exchange.publicB)))
  if (u === 0n) return false
  const shared = power((exchange.a * power(exchange.verifier, u)) % N, exchange.b)
  const key = Buffer.from(hkdfSync('sha256', bytesOf(shared), bytesOf(u), KEY_INFO, KEY_BYTES))
  const expected = createHmac('sha256', key)
    .update(pool)
    .update(userId)
    .update(Buffer.from(secretBlock, 'base64'))
    .update(timestamp)
    .digest()
  const given = Buffer.from(signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** `base` to the `exponent` modulo N, by OpenSSL: in script it takes ten times as long. It refuses 0, 1 and N - 1, which lead to no secret. */
function power(base: bigint, exponent: bigint): bigint {
  const group = createDiffieHellman(PRIME, Buffer.from([Number(G)]))
  group.setPrivateKey(bytesOf(exponent))
  return toNumber(group.computeSecret(bytesOf(base)))
}

/** As two's complement has it: a byte more where the first bit is set. */
function bytesOf(number: bigint): Buffer {
  const digits = number.toString(16)
  const even = digits.length % 2 === 0 ? digits : `0${digits}`
  return Buffer.from(/^[89a-f]/i.test(even) ? `00${even}` : even, 'hex')
}

function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
