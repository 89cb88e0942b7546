import { describe, expect, test } from 'vitest'
import { signer } from './signer.ts'

// Cases of AWS's own test suite for Signature Version 4 (aws-sig-v4-test-suite: post-vanilla, post-x-www-form-urlencoded, post-header-key-sort, post-sts-header-before).
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const signingDate = new Date('2015-08-30T12:36:00Z')
const post = (headers: Record<string, string> = {}, body?: string) => ({
  method: 'POST',
  path: '/',
  headers: { Host: 'example.amazonaws.com', ...headers } as Record<string, string>,
  ...(body === undefined ? {} : { body }),
})
const sign = async (request: ReturnType<typeof post>) => {
  const { headers } = await signer('service', 'us-east-1', async () => credentials).sign(request, { signingDate })
  return headers.authorization
}
const scope = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'

describe('the signature', () => {
  test('of a plain request', async () => {
    expect(await sign(post())).toBe(
      `${scope}, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b`,
    )
  })

  test('of a request with a body', async () => {
    expect(await sign(post({ 'Content-Type': 'application/x-www-form-urlencoded' }, 'Param1=value1'))).toBe(
      `${scope}, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a`,
    )
  })

  test('of headers in any order and case', async () => {
    expect(await sign(post({ 'My-Header1': 'value1' }))).toBe(
      `${scope}, SignedHeaders=host;my-header1;x-amz-date, Signature=c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c`,
    )
  })

  test('leaves out what the way may change, and spaces that do not count', async () => {
    const one = await sign(post({ 'My-Header1': 'a  b' }))
    expect(await sign(post({ 'my-header1': '  a b ', 'User-Agent': 'x', 'x-amzn-trace-id': 'y', Authorization: 'old' }))).toBe(one)
  })

  test('carries a session token, and not the one before when it is gone', async () => {
    let session: string | undefined = 'AQoDYXdz'
    const signing = signer('service', 'us-east-1', async () => ({ ...credentials, ...(session && { sessionToken: session }) }))
    const request = post()
    await signing.sign(request, { signingDate })
    expect(request.headers['x-amz-security-token']).toBe('AQoDYXdz')
    expect(request.headers.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token')
    session = undefined
    await signing.sign(request, { signingDate })
    expect(request.headers['x-amz-security-token']).toBeUndefined()
    expect(request.headers.authorization).toBe(await sign(post()))
  })

  test('takes another key with another day, region, service or secret', async () => {
    let secretAccessKey = credentials.secretAccessKey
    const signing = signer('service', 'us-east-1', async () => ({ ...credentials, secretAccessKey }))
    const of = async (options: Parameters<typeof signing.sign>[1]) => (await signing.sign(post(), options)).headers.authorization
    const first = await of({ signingDate })
    const others = [
      await of({ signingDate: new Date('2015-08-31T12:36:00Z') }),
      await of({ signingDate, signingRegion: 'eu-central-1' }),
      await of({ signingDate, signingService: 'sqs' }),
    ]
    expect(await of({ signingDate })).toBe(first)
    secretAccessKey = 'another'
    others.push(await of({ signingDate }))
    expect(new Set([first, ...others]).size).toBe(5)
  })
})
