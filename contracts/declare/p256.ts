/** The prime of P-256 and its curve's b (NIST SP 800-186, 3.2.1.3); a is -3. Text until needed: the engine of the load tests loads this and asks nothing of it. */
const P = '0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff'
const B = '0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b'

const UNCOMPRESSED = 4
const COORDINATE_BYTES = 32

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('')}`)

/** Whether bytes are an uncompressed point of the curve P-256 (SEC 1, 2.3.4): nothing can be encrypted for what is not on it. */
export const isPoint = (bytes: Uint8Array): boolean => {
  if (bytes.length !== 1 + 2 * COORDINATE_BYTES || bytes[0] !== UNCOMPRESSED) return false
  const p = BigInt(P)
  const x = numberOf(bytes.subarray(1, 1 + COORDINATE_BYTES))
  const y = numberOf(bytes.subarray(1 + COORDINATE_BYTES))
  return x < p && y < p && (y * y - x * x * x + BigInt(3) * x - BigInt(B)) % p === BigInt(0)
}
