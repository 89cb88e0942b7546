import type { Clock } from '../../actors/kernel/ports/clock/port.ts'
import type { EdgeRequest } from '../request/request.ts'
import type { Address } from './address.ts'
import { type Authenticator, bearerOf } from './auth.ts'
import { type Budget, type Drawn, type Limits, within } from './limits.ts'
/**
 * One request's way past the gate. It keeps what was drawn last, for the headers of the answer that comes in any case.
 * @property network whom the address stands for
 * @property exempt from the budgets of addresses
 */
export type Entry = { readonly network: string; readonly exempt: boolean; drawn: Drawn | undefined }

export type AdmissionOptions = {
  readonly auth: Authenticator
  readonly limits: Limits
  readonly clock: Clock
  /** Reads where a request comes from. */
  readonly locate: (request: EdgeRequest) => Address
}

/** Decides who may come in: budgets of addresses first, then the token, then the user's own. */
export const admission = ({ auth, limits, clock, locate }: AdmissionOptions) => {
  /** @throws EdgeProblem `rate-limited` */
  const draw = (entry: Entry, budget: Budget, key: string): void => {
    entry.drawn = budget.draw(key, clock.elapsed())
    within(entry.drawn)
  }
  const anonymous = (entry: Entry): void => {
    if (!entry.exempt) draw(entry, limits.anonymous, entry.network)
  }
  const verified = async (entry: Entry, token: string): Promise<string> => {
    // Checking a signature is work: who sends bad ones has fewer tries than who sends good ones.
    if (!entry.exempt) within(limits.anonymous.peek(entry.network, clock.elapsed()))
    try {
      return (await auth.verify(token)).id
    } catch (refusal) {
      anonymous(entry)
      throw refusal
    }
  }
  const tokenOf = (entry: Entry, request: EdgeRequest): string => {
    try {
      return bearerOf(request.headers.get('authorization'))
    } catch (refusal) {
      anonymous(entry)
      throw refusal
    }
  }
  return {
    entry: (request: EdgeRequest): Entry => {
      const address = locate(request)
      return { network: address.network, exempt: limits.exempt(address), drawn: undefined }
    },
    /** What an address may ask at all. @throws EdgeProblem `rate-limited` */
    address: (entry: Entry, kind: 'reads' | 'writes'): void => {
      if (!entry.exempt) draw(entry, limits.addresses[kind], entry.network)
    },
    /** What it may ask without a token. @throws EdgeProblem `rate-limited` */
    anonymous,
    /** Finds out who calls. @throws EdgeProblem `invalid-token`, `rate-limited`, `overloaded` */
    caller: async (entry: Entry, request: EdgeRequest, kind: 'reads' | 'writes'): Promise<string> => {
      const token = tokenOf(entry, request)
      const known = auth.recall(token)
      const caller = known ? known.id : await verified(entry, token)
      draw(entry, limits.users[kind], caller)
      return caller
    },
    /** The budget that the answer tells of: what was drawn last, or what there would be without a token. */
    told: (entry: Entry): Drawn => entry.drawn ?? limits.anonymous.peek(entry.network, clock.elapsed()),
  }
}
export type Admission = ReturnType<typeof admission>
