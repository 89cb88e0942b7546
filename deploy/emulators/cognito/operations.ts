import type { Jwks } from 'aws-jwt-verify/jwk'
import type { Clock } from 'cognito-local/lib/services/clock.js'
import type { Context } from 'cognito-local/lib/services/context.js'
import type { Triggers } from 'cognito-local/lib/services/triggers/index.js'
import { addressOperations } from './addresses.ts'
import { lockOut } from './attempts.ts'
import { poolCodes } from './codes.ts'
import type { ChildConfig, CodeMessage } from './ipc.ts'
import { passwordOperations } from './passwords.ts'
import type { Operation, People } from './people.ts'
import { poolSessions, sessionOperations, tokenOwner, type WhoseToken } from './sessions.ts'
import { signInOperations } from './sign-in.ts'
import { tokenIssuer } from './tokens.ts'

type Parts = {
  readonly people: People
  readonly clock: Clock
  readonly triggers: Triggers
  readonly ctx: Context
  readonly jwks: Jwks
  /** Gets what Cognito would send by e-mail. */
  tell(message: CodeMessage): void
}

/** The calls that cognito-local lacks, or has otherwise than Cognito, by their names in the protocol. */
export function poolOperations(
  { region, userPoolId, clientId }: Pick<ChildConfig, 'region' | 'userPoolId' | 'clientId'>,
  { people, clock, triggers, ctx, jwks, tell }: Parts,
): { whose: WhoseToken; operations: Readonly<Record<string, Operation>> } {
  const now = (): number => clock.get().getTime()
  const sessions = poolSessions(people, tokenIssuer(region, clock))
  const whose = tokenOwner(people, { userPoolId, clientId, jwks })
  const codes = poolCodes(people, tell, now)
  const wrongPasswords = lockOut(now)
  const operations = {
    ...signInOperations(people, sessions, wrongPasswords, userPoolId, now),
    ...sessionOperations(people, sessions, whose, now),
    ...passwordOperations({ people, whose, codes, wrongPasswords, triggers, ctx, now }),
    ...addressOperations(people, whose, codes, now),
  }
  return { whose, operations }
}
