import type { Fetcher } from 'aws-jwt-verify/https'
import type { Config } from '../../actors/kernel/config/config.ts'
import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { EdgeRequest } from '../request/request.ts'
import { type Address, addressOf } from './address.ts'
import { admission } from './admission.ts'
import { authenticator } from './auth.ts'
import { tokenVerifier } from './keys.ts'
import { limits } from './limits.ts'

/**
 * Finds out who calls and from where, and bounds how much of it is let in.
 * @param onUnfetched hears why the keys of the user pool cannot be had at the start
 * @throws an error when the user pool is not configured
 */
export const createAccess = (config: Config, clock: Clock, fetcher: Fetcher | undefined, onUnfetched: (error: unknown) => void) => {
  const verifier = tokenVerifier(config, clock, fetcher)
  verifier.hydrate().catch(onUnfetched)
  const auth = authenticator(verifier, clock)
  const budgets = limits(config)
  const locate = (request: EdgeRequest): Address => addressOf(request, config.PROXIES, config.FORWARDED_HEADER)
  return {
    auth,
    limits: budgets,
    /** Reads where a request comes from. */
    locate,
    admission: admission({ auth, limits: budgets, clock, locate }),
    /** Whether tokens can be verified. */
    keysReady: verifier.ready,
  }
}
export type Access = ReturnType<typeof createAccess>
