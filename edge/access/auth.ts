import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import { UserId } from '../../contracts/declare/text.ts'
import { type EdgeProblem, edgeProblem, overloaded } from '../request/problems.ts'
import { KeysUnavailable, type TokenVerifier } from './keys.ts'

/** A person who calls, and until when the token says so (epoch ms). */
export type Caller = { readonly id: string; readonly until: number }

/** Most tokens remembered: each costs a signature check, once. */
const MAX_TOKENS = 20_000
/** A Cognito token has one or two kilobytes; what is longer is not one. */
const MAX_TOKEN_LENGTH = 8192

/** What a challenge says of a token that was sent (RFC 6750, 3): nothing of one that was not, or of another scheme. */
type Fault = 'invalid_token' | 'invalid_request'
const unauthorized = (detail: string, fault?: Fault): EdgeProblem =>
  edgeProblem('invalid-token', detail, { 'www-authenticate': fault === undefined ? 'Bearer' : `Bearer error="${fault}"` })
const invalidToken = (detail: string): EdgeProblem => unauthorized(detail, 'invalid_token')

/** A scheme, and what follows it. */
const CREDENTIALS = /^([^\s]{1,64})(?:\s(.*))?$/s
/** RFC 6750, 2.1. */
const TOKEN = /^[\w.~+/-]+=*$/
/** The token of an `Authorization` header. @throws EdgeProblem `invalid-token` */
export const bearerOf = (authorization: string | undefined): string => {
  if (authorization === undefined) throw unauthorized('send a token: Authorization: Bearer <Cognito access or ID token>')
  const [, scheme = '', given = ''] = CREDENTIALS.exec(authorization) ?? []
  if (scheme.toLowerCase() !== 'bearer') throw unauthorized('the Authorization header holds no bearer token')
  const token = given.trim()
  if (!TOKEN.test(token)) throw unauthorized('the Authorization header must be the word Bearer, a space and a token', 'invalid_request')
  return token
}

/**
 * Tells who a token belongs to. A token that was good is remembered by its hash until it expires, never itself.
 */
export const authenticator = (verifier: TokenVerifier, clock: Clock) => {
  const known = new LRUCache<string, Caller>({ max: MAX_TOKENS })
  const recall = (key: string): Caller | undefined => {
    const caller = known.get(key)
    if (caller && caller.until > clock.now()) return caller
    if (caller) known.delete(key)
    return undefined
  }
  return {
    /** The caller of a token seen before, without any work worth limiting. */
    recall: (token: string) => (token.length > MAX_TOKEN_LENGTH ? undefined : recall(hash('sha256', token, 'base64'))),
    /** @throws EdgeProblem `invalid-token`, or `overloaded` when the pool's keys cannot be had */
    verify: async (token: string): Promise<Caller> => {
      if (token.length > MAX_TOKEN_LENGTH) throw invalidToken('the token is too long')
      const key = hash('sha256', token, 'base64')
      const before = recall(key)
      if (before) return before
      const { sub, exp } = await verifier.verify(token).catch((error: unknown) => {
        // Once the keys were had, a key that is not among them is a token's fault, even while they cannot be fetched anew.
        if (error instanceof KeysUnavailable && !verifier.ready()) throw overloaded('tokens cannot be verified at the moment', 5, error)
        throw invalidToken('the token is expired, forged, or not of this user pool and client')
      })
      const id = UserId.safeParse(sub)
      const until = (exp ?? 0) * 1000
      if (!id.success || until <= clock.now()) throw invalidToken('the token has no subject or no life left')
      const caller = { id: id.data, until }
      known.set(key, caller)
      return caller
    },
  }
}
export type Authenticator = ReturnType<typeof authenticator>
