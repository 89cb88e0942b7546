import { createHash } from 'node:crypto'
import type { Level, LevelWrite } from 'dynalite/db/index.js'
import { refusal } from './errors.ts'
import { prefix } from './keys.ts'

/** How long DynamoDB remembers a `ClientRequestToken` after the transaction completed. */
const REMEMBERED_MS = 10 * 60 * 1000

interface Seen {
  hash: string
  at: number
}

export interface Tokens {
  /**
   * Runs `commit` unless a transaction with this token has been committed in the last ten minutes; then answers `repeated`. What `commit` is given must go down with
   * the transaction, so that the token is remembered exactly when the transaction is, across a kill as well.
   * @throws IdempotentParameterMismatchException, TransactionInProgressException
   */
  once<T>(token: string, parameters: unknown, commit: (remember: LevelWrite) => Promise<T>, repeated: T): Promise<T>
  /** Resolves when no sweep is under way. */
  idle(): Promise<void>
}

/**
 * Tokens lie in LevelDB, in one range of keys for each ten minutes: a token is looked up in the current range and the one before it, and older ranges are dropped whole.
 * The SDK sends one with every transaction: kept in memory, they would be hundreds of thousands under load, and forgotten by a restart.
 */
export function createTokens(level: Level, now: () => number): Tokens {
  const inFlight = new Set<string>()
  let swept = 0
  let sweep = Promise.resolve()

  const range = (number: number) => `${prefix.tokens}${number.toString().padStart(8, '0')}~`
  const sweepBefore = (number: number) => {
    if (number <= swept) return
    swept = number
    // What a failed sweep leaves, the next one finds.
    sweep = level.clear({ gte: prefix.tokens, lt: range(number) }).catch(() => {})
  }

  return {
    async once(token, parameters, commit, repeated) {
      const at = now()
      const current = Math.floor(at / REMEMBERED_MS)
      const hash = createHash('sha256').update(canonical(parameters)).digest('base64')
      if (inFlight.has(token))
        throw refusal('TransactionInProgressException', { Message: 'The transaction with the given request token is already in progress.' })
      const seen = level.getSync<Seen>(range(current) + token) ?? level.getSync<Seen>(range(current - 1) + token)
      if (seen && at - seen.at < REMEMBERED_MS) {
        if (seen.hash === hash) return repeated
        throw refusal('IdempotentParameterMismatchException', {
          Message: 'The request uses the same client token as a previous, but non-identical request.',
        })
      }
      sweepBefore(current - 1)
      inFlight.add(token)
      try {
        return await commit({ type: 'put', key: range(current) + token, value: { hash, at } satisfies Seen })
      } finally {
        inFlight.delete(token)
      }
    },
    idle: () => sweep,
  }
}

/** JSON with sorted names: a client that builds the same request again may name attributes in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
