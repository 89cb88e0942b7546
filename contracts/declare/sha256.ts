/**
 * SHA-256 (FIPS 180-4). Keys that are derived from a text must be known wherever the contract is, at once: browsers digest only in promises, and the
 * contract imports nothing that they have not.
 */

const primes = (n: number): number[] => {
  const found: number[] = []
  for (let candidate = 2; found.length < n; candidate++) if (found.every(p => candidate % p !== 0)) found.push(candidate)
  return found
}
/** The first 32 bits behind the point. */
const fraction = (x: number): number => ((x - Math.floor(x)) * 2 ** 32) | 0
const PRIMES = primes(64)
const ROUND = PRIMES.map(p => fraction(Math.cbrt(p)))
const START = PRIMES.slice(0, 8).map(p => fraction(Math.sqrt(p)))

const rotated = (x: number, by: number): number => (x >>> by) | (x << (32 - by))
const at = (words: ArrayLike<number>, i: number): number => words[i] ?? 0

/** The message, a one, zeros, and its length in bits: whole blocks of 64 bytes. */
const padded = (message: Uint8Array): DataView => {
  const view = new DataView(new ArrayBuffer(Math.ceil((message.length + 9) / 64) * 64))
  new Uint8Array(view.buffer).set(message)
  view.setUint8(message.length, 0x80)
  view.setUint32(view.byteLength - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(view.byteLength - 4, (message.length * 8) % 2 ** 32)
  return view
}

/** The digest's 32 bytes. @param text in UTF-8 */
export const sha256 = (text: string): Uint8Array => {
  const message = padded(new TextEncoder().encode(text))
  const hash = Int32Array.from(START)
  const w = new Int32Array(64)
  for (let block = 0; block < message.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = message.getInt32(block + i * 4)
    for (let i = 16; i < 64; i++) {
      const [x, y] = [at(w, i - 15), at(w, i - 2)]
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3)
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10)
      w[i] = at(w, i - 16) + s0 + at(w, i - 7) + s1
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash
    for (let i = 0; i < 64; i++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      const one = (h + s1 + ((e & f) ^ (~e & g)) + at(ROUND, i) + at(w, i)) | 0
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) hash[i] = at(hash, i) + word
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (const [i, word] of hash.entries()) digest.setInt32(i * 4, word)
  return new Uint8Array(digest.buffer)
}
