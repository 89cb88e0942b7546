import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'

const Header = z.object({ typ: z.literal('JWT'), alg: z.literal('ES256') })
const Claims = z.object({ aud: z.string(), exp: z.number(), sub: z.string().regex(/^(mailto:|https:)/) })

const DAY_S = 86_400
const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))

/**
 * Checks who sends, as RFC 8292 has it.
 * @param authorization the header
 * @param expected the origin that it must be for, and the key that the subscription was made for
 * @param now epoch ms
 * @throws an error that names what is wrong
 */
export const checkVapid = (
  authorization: string | undefined,
  expected: { origin: string; applicationServerKey: string },
  now: number,
): void => {
  const [, header = '', claims = '', signature = '', k = ''] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), ?k=([\w-]+)$/.exec(authorization ?? '') ?? []
  if (k === '') throw new Error(`Authorization is no VAPID header: ${authorization}`)
  if (k !== expected.applicationServerKey) throw new Error('the message is signed with another key than the subscription is for')
  Header.parse(decoded(header))
  const { aud, exp } = Claims.parse(decoded(claims))
  if (aud !== expected.origin) throw new Error(`the token is for ${aud}, not ${expected.origin}`)
  const left = exp - now / 1000
  if (left <= 0 || left > DAY_S) throw new Error(`the token is valid for ${left} s`)
  const point = Buffer.from(k, 'base64url')
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
  const signed = Buffer.from(`${header}.${claims}`)
  if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')))
    throw new Error('the signature is wrong')
}
