import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../../actors/kernel/ports/clock/virtual.ts'
import { EdgeProblem } from '../request/problems.ts'
import { configFor } from '../testing/edge.ts'
import { ISSUER, newPool, POOL, type TokenChanges } from '../testing/pool.ts'
import { authenticator, bearerOf } from './auth.ts'
import { tokenVerifier } from './keys.ts'

const pool = newPool()
const ana = randomUUID()
const clock = virtualClock(Date.now())
const fed = () => authenticator(tokenVerifier(configFor(pool), clock), clock)

const refusalOf = async (work: Promise<unknown>): Promise<EdgeProblem> => {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof EdgeProblem) return error
  throw new Error('it was not refused', { cause: error })
}

test('access and ID tokens tell who calls, and until when', async () => {
  const auth = fed()
  for (const use of ['access', 'id'] as const) {
    const token = pool.token(ana, { use, expiresIn: 100 })
    const caller = await auth.verify(token)
    expect(caller.id).toBe(ana)
    expect(Math.abs(caller.until - Date.now() - 100_000)).toBeLessThan(5_000)
    expect(auth.recall(token)).toBe(caller)
  }
})

describe('a token is refused that is', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const publicPem = pool.publicKey.export({ type: 'spki', format: 'pem' })
  const wrong: Record<string, TokenChanges> = {
    expired: { expiresIn: -1 },
    'without an end': { claims: { exp: undefined } },
    'not good yet': { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } },
    'signed by somebody else': { key: other },
    'without a signature': { signature: () => '' },
    'alg none': { header: { alg: 'none' }, signature: () => '' },
    'HS256 with the public key as the secret': {
      header: { alg: 'HS256' },
      signature: input => createHmac('sha256', publicPem).update(input).digest('base64url'),
    },
    'RS512 where the key is for RS256': { header: { alg: 'RS512' } },
    'of another pool': { issuer: ISSUER.replace(POOL, 'eu-central-1_Other') },
    'of another issuer': { issuer: 'https://evil.test/pool' },
    'of another client': { client: 'someone-else' },
    'an ID token of another client': { use: 'id', client: 'someone-else' },
    'a refresh token': { use: 'refresh' },
    'of an unknown key': { header: { kid: 'key-2' } },
    'of no key': { header: { kid: undefined } },
    'of a key with a strange id': { header: { kid: '__proto__' } },
    'without a subject': { claims: { sub: undefined } },
    'with a subject that is no user': { claims: { sub: 'user#1' } },
  }
  for (const [name, changes] of Object.entries(wrong))
    test(name, async () => {
      const auth = fed()
      const token = pool.token(ana, changes)
      const problem = await refusalOf(auth.verify(token))
      expect(problem).toMatchObject({ code: 'invalid-token', status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
      expect(auth.recall(token)).toBeUndefined()
    })
  for (const text of ['', 'x', 'a.b', 'a.b.c', '..', `${'a'.repeat(9000)}.b.c`, '{}.{}.{}', 'null.null.null'])
    test(`no token at all: ${text.slice(0, 20)}`, async () => {
      expect((await refusalOf(fed().verify(text))).code).toBe('invalid-token')
    })
})

test('one that was good stops being so when it expires', async () => {
  const own = virtualClock(Date.now())
  const auth = authenticator(tokenVerifier(configFor(pool), own), own)
  const token = pool.token(ana, { expiresIn: 60 })
  await auth.verify(token)
  await own.advance(59_000)
  expect(auth.recall(token)?.id).toBe(ana)
  await own.advance(2_000)
  expect(auth.recall(token)).toBeUndefined()
  expect((await refusalOf(auth.verify(token))).code).toBe('invalid-token')
})

test('the Authorization header must hold a bearer token', () => {
  expect(bearerOf('Bearer abc')).toBe('abc')
  expect(bearerOf('bearer abc')).toBe('abc')
  for (const header of [undefined, '', 'Bearer', 'Basic abc', 'abc']) expect(() => bearerOf(header), header).toThrow('invalid-token')
})

describe('keys that are fetched', () => {
  let fetches = 0
  let keys: unknown = pool.jwks
  afterEach(() => {
    fetches = 0
    keys = pool.jwks
  })
  const fetcher = {
    fetch: async () => {
      fetches++
      if (keys === undefined) throw new Error('the network is down')
      return new Uint8Array(Buffer.from(JSON.stringify(keys))).buffer
    },
  }
  const fetching = () => {
    const own = virtualClock(Date.now())
    const verifier = tokenVerifier({ ...configFor(pool), COGNITO_JWKS: undefined }, own, fetcher)
    return { own, verifier, auth: authenticator(verifier, own) }
  }

  test('are had at boot, and serve on while they cannot be had any more', async () => {
    const { verifier, auth } = fetching()
    expect(verifier.ready()).toBe(false)
    await verifier.hydrate()
    expect(verifier.ready()).toBe(true)
    keys = undefined
    const before = fetches
    expect((await auth.verify(pool.token(ana))).id).toBe(ana)
    expect(fetches).toBe(before)
    expect((await refusalOf(auth.verify(pool.token(ana, { header: { kid: 'key-9' } })))).status).toBe(401)
  })
  test('are asked for once a window, however many unknown ones tokens name', async () => {
    const { verifier, auth } = fetching()
    await verifier.hydrate()
    const before = fetches
    for (let i = 0; i < 200; i++)
      expect((await refusalOf(auth.verify(pool.token(ana, { header: { kid: `made-up-${i}` } })))).status).toBe(401)
    expect(fetches - before).toBe(1)
  })
  test('that were never had make tokens unverifiable, not invalid, and are asked for again later', async () => {
    const { own, auth } = fetching()
    keys = undefined
    for (let i = 0; i < 5; i++) expect((await refusalOf(auth.verify(pool.token(ana)))).code).toBe('overloaded')
    expect(fetches).toBe(1)
    keys = pool.jwks
    await own.advance(11_000)
    expect((await auth.verify(pool.token(ana))).id).toBe(ana)
  })
  test('follow a rotation', async () => {
    const { verifier, auth } = fetching()
    await verifier.hydrate()
    const next = newPool('key-2')
    keys = { keys: [...pool.jwks.keys, ...next.jwks.keys] }
    expect((await auth.verify(next.token(ana))).id).toBe(ana)
    expect((await auth.verify(pool.token(ana))).id).toBe(ana)
  })
})

test('an issuer of one’s own, as the embedded pool has, takes no other', async () => {
  const issuer = `http://localhost:9229/${POOL}`
  const auth = authenticator(tokenVerifier(configFor(pool, { COGNITO_ISSUER: issuer }), clock), clock)
  expect((await auth.verify(pool.token(ana, { issuer }))).id).toBe(ana)
  expect((await refusalOf(auth.verify(pool.token(ana)))).code).toBe('invalid-token')
})

test('a pool that is not configured, or keys that are none, are an error at once', () => {
  expect(() => tokenVerifier({ ...configFor(pool), COGNITO_CLIENT_ID: undefined }, clock)).toThrow('COGNITO_CLIENT_ID')
  for (const given of ['x', '{}', '{"keys":[{}]}', 'null'])
    expect(() => tokenVerifier({ ...configFor(pool), COGNITO_JWKS: given }, clock), given).toThrow('COGNITO_JWKS is not a JSON Web Key Set')
})
