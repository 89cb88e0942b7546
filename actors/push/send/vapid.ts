import { createECDH, createPrivateKey, sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** The key pair that tells push services who sends (RFC 8292): base64url of the uncompressed point and of the scalar. */
export type Vapid = { readonly publicKey: string; readonly privateKey: string; readonly subject: string }

/** Push services take a token for a day at the most; a clock that is off by hours still gets through. */
const VALID_S = 12 * 3600
const RENEW_MS = (VALID_S / 2) * 1000
const ORIGINS = 1000

const privateKeyOf = ({ publicKey, privateKey }: Vapid) => {
  const pair = createECDH('prime256v1')
  try {
    pair.setPrivateKey(privateKey, 'base64url')
  } catch (cause) {
    throw new Error('VAPID_PRIVATE_KEY is no private key of P-256 in base64url', { cause })
  }
  const point = pair.getPublicKey()
  if (point.toString('base64url') !== publicKey) throw new Error('VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(half => half.toString('base64url'))
  if (x === undefined || y === undefined) throw new Error('a point has two halves')
  return createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', d: privateKey, x, y } })
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Says who sends, to a push service's origin. Signing costs more than encrypting, so a signature is kept for hours.
 * @param now epoch ms
 * @returns the value of `Authorization` for an origin
 * @throws when the keys are none, or no pair
 */
export const vapidAuthorization = (vapid: Vapid, now: () => number): ((origin: string) => string) => {
  const key = privateKeyOf(vapid)
  const kept = new LRUCache<string, { readonly header: string; readonly madeAt: number }>({ max: ORIGINS })
  return origin => {
    const known = kept.get(origin)
    const at = now()
    // A clock that was set back by hours would keep a token that ends later than services take.
    if (known && Math.abs(at - known.madeAt) < RENEW_MS) return known.header
    const claims = { aud: origin, exp: Math.floor(at / 1000) + VALID_S, sub: vapid.subject }
    const signed = `${json({ typ: 'JWT', alg: 'ES256' })}.${json(claims)}`
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    const header = `vapid t=${signed}.${signature}, k=${vapid.publicKey}`
    kept.set(origin, { header, madeAt: at })
    return header
  }
}
