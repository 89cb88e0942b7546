import { randomInt } from 'node:crypto'
import { CodeMismatchError, CognitoError, ExpiredCodeError } from 'cognito-local/lib/errors.js'
import { countAttempts } from './attempts.ts'
import type { Person, SentCode } from './email-pool.ts'
import type { CodeMessage } from './ipc.ts'
import type { People } from './people.ts'

const CODES = 1_000_000
const CODE_MS = 60 * 60_000
const MAX_CODES_AN_HOUR = 5
const MAX_MISSES = 5

export type CodeField = 'PasswordCode' | 'EmailCode'
export type Codes = ReturnType<typeof poolCodes>

/**
 * Codes that prove an address. Kept in the user's record, one of each kind: the next takes the place of the last.
 * @param tell gets what Cognito would send by e-mail
 */
export function poolCodes(people: People, tell: (message: CodeMessage) => void, now: () => number) {
  const sent = countAttempts({ max: MAX_CODES_AN_HOUR, windowMs: 60 * 60_000 }, now)
  const misses = countAttempts({ max: MAX_MISSES, windowMs: CODE_MS }, now)

  return {
    /** Counts a code that `name` asked for, somebody's or nobody's. */
    countCode(name: string): void {
      if (sent.isExhausted(name)) throw limitExceeded()
      sent.count(name)
      misses.forget(name)
    },

    /** Saves the person with a new code for the address, and sends it. What could not be saved is not sent. */
    async send(person: Person, field: CodeField, to: string): Promise<unknown> {
      const code: SentCode = { code: String(randomInt(CODES)).padStart(6, '0'), to, until: now() + CODE_MS, misses: 0 }
      await people.save({ ...person, [field]: code })
      tell({ to, code: code.code, purpose: field === 'PasswordCode' ? 'password' : 'email', validMinutes: CODE_MS / 60_000 })
      return deliveryTo(to)
    },

    /** @throws the protocol's error unless it is the code that was sent; a wrong one is counted, a restart included. */
    async check(person: Person, field: CodeField, given: string): Promise<void> {
      const code = person[field]
      if (code === undefined || code.until <= now()) throw new ExpiredCodeError()
      if (code.misses >= MAX_MISSES) throw limitExceeded()
      if (code.code === given) return
      await people.save({ ...person, [field]: { ...code, misses: code.misses + 1 } })
      throw mismatch()
    },

    /** The same errors for nobody. */
    refuseStranger(name: string): never {
      if (sent.within(name) === 0) throw new ExpiredCodeError()
      if (misses.isExhausted(name)) throw limitExceeded()
      misses.count(name)
      throw mismatch()
    },
  }
}

/** Where a code goes, as Cognito says it: no more of the address than its owner needs. */
export function deliveryTo(address: string): { AttributeName: string; DeliveryMedium: string; Destination: string } {
  const [name = '', domain = ''] = address.split('@')
  return { AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: `${name.slice(0, 1)}***@${domain.slice(0, 1)}***` }
}

export function limitExceeded(): CognitoError {
  return new CognitoError('LimitExceededException', 'Attempt limit exceeded, please try after some time.')
}

function mismatch(): CognitoError {
  return Object.assign(new CodeMismatchError(), { message: 'Invalid verification code provided, please try again.' })
}
