/** The curve P-256 (FIPS 186-5, `y² = x³ - 3x + b` modulo p). */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

const bytes = (base64url: string): Uint8Array | undefined => {
  try {
    return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))
  } catch {
    return undefined
  }
}
const number = (big: Uint8Array): bigint => big.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)

/** How many bytes a text in base64url (without padding) stands for; undefined if it is none. */
export const byteLength = (base64url: string): number | undefined => bytes(base64url)?.length

/** Whether a text in base64url is an uncompressed point of the curve: a public key that one can encrypt for. */
export const isPoint = (base64url: string): boolean => {
  const point = bytes(base64url)
  if (point?.length !== 65 || point[0] !== 4) return false
  const [x, y] = [number(point.subarray(1, 33)), number(point.subarray(33))]
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n
}
